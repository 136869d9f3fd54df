"""Anchors: others who vouch for the log's checkpoints, so that nobody has to trust its operator.

*Witnesses* (C2SP tlog-witness) cosign a checkpoint once they have seen that the log has only grown;
*authorities* (RFC 3161) stamp it with their time. What they answer is verified before it is stored,
and stored for good. A failing anchor is asked again later, is visible, and stops nothing; a witness
that has seen more of the log than the database holds, or something else, stops signing.
"""
