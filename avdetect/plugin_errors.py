"""What can be wrong with a plugin, in words that say whose it is and what to do."""

from __future__ import annotations


class PluginError(Exception):
    """A plugin that was asked for cannot be used.

    Attributes:
        cause: what is wrong and what to do about it.
        kind: of the plugin ("forgery").
        name: as it was asked for.
        distribution: whose it is; empty where no installed distribution offers it.
        version: of the distribution.
        target: ``package.module:attribute`` that the name stands for.
    """

    def __init__(
        self,
        cause: str,
        *,
        kind: str = "",
        name: str = "",
        distribution: str = "",
        version: str = "",
        target: str = "",
    ):
        # All but the first may be left out, since copies made between processes are called with the text alone.
        self.cause, self.kind, self.name = cause, kind, name
        self.distribution, self.version, self.target = distribution, version, target
        owner = f"{distribution} {version}".strip()
        place = " of ".join(part for part in (target if target != name else "", owner) if part)
        subject = " ".join(part for part in (kind, repr(name) if name else "", f"({place})" if place else "") if part)
        super().__init__(f"{subject}: {cause}" if subject else cause)


class UnknownPlugin(PluginError, KeyError):
    """No plugin and no built-in bears the name; the message lists those that exist."""

    __str__ = Exception.__str__  # a KeyError would show the text between quotation marks


class PluginWarning(UserWarning):
    """Something about the installed plugins that does not keep the command from its work."""
