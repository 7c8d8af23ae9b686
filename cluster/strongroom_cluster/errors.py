"""The errors of the cluster layer."""


class ClusterError(Exception):
    """Anything the log refuses or cannot do."""


class ProposalRefused(ClusterError):
    """The log did not take a command; nothing happened."""


class ProposalUnknown(ClusterError):
    """The log took a command and then failed; it may or may not survive."""


class ProposalUndecided(ProposalUnknown):
    """No majority answered in time. The log goes on, and the command may still happen."""


class CommandInvalid(ClusterError):
    """Bytes from the log are not a command this program knows."""


class JournalDamaged(ClusterError):
    """The journal holds something that no interrupted write explains. Names file, offset and index."""


class JournalFull(ClusterError):
    """There is no space for another segment; nothing was written, and writing may go on when there is."""
