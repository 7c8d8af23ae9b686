"""The errors of the storage layer: one type for each thing a caller does differently."""


class StorageError(Exception):
    """Anything the storage layer refuses or cannot do."""


class InputRefused(StorageError):
    """The caller's key or value breaks a rule; asking again will not help."""


class KeyInvalid(InputRefused):
    """A key is empty, ends with a slash, holds a NUL or a parent reference, or belongs to another class of record."""


class KeyTooLong(InputRefused):
    """A key is longer than `entry.KEY_BYTES_MAX` bytes of UTF-8."""


class ValueTooLarge(InputRefused):
    """A value or a whole transaction is larger than its limit, or nested too deeply to be packed."""


class CodecInvalid(StorageError):
    """Stored bytes are not what `codec.pack` writes."""


class BarrierSealed(StorageError):
    """The keyring is not in memory: nothing can be read or written through the barrier."""


class BarrierInitialized(StorageError):
    """A keyring exists already; making another would orphan everything stored under it."""


class BarrierUninitialized(StorageError):
    """There is no keyring yet."""


class RootKeyInvalid(StorageError):
    """The root key given does not open the keyring."""


class NotActive(StorageError):
    """This node may not write; the active node may."""


class LogBusy(StorageError):
    """Too many writes wait for the log; nothing happened and the caller may try again later."""


class LogFailed(StorageError):
    """The log stopped after a failure and takes no more writes; nothing happened."""


class CommitUnknown(StorageError):
    """The log failed while this write was in flight: it may or may not survive."""


class FrameInvalid(StorageError):
    """A record does not open: it was changed, moved to another path, or is of another kind."""


class KeyTermUnknown(FrameInvalid):
    """A frame names a key term the keyring does not hold."""


class KeyTermExhausted(StorageError):
    """A key term has sealed as many frames as AES-GCM allows; the keyring must be rotated."""


class StoreDamaged(StorageError):
    """What is on disk cannot be trusted. The message names the file and what to do."""


class StoreLocked(StorageError):
    """Another process has this store open."""


class TransactionClosed(StorageError):
    """A transaction was used outside its `with` block, or committed before the block ended."""
