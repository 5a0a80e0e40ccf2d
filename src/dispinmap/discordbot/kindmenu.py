"""Kinds in a menu, and their completion while someone types."""

from collections.abc import Collection

import discord

from dispinmap.discordbot.texts import KIND_WORDS, kinds_in_words
from dispinmap.targets.kinds import EVERY_KIND, Kinds, NotificationKind, kind_or_none, kind_words
from dispinmap.targets.models import WatchedTarget
from dispinmap.targets.values import DEFAULT_WORD


def channel_options(current: Kinds, default: Kinds) -> list[discord.SelectOption]:
    """The menu for a whole channel, with its current kinds selected."""
    return [*_each(current), _option("Default", kinds_in_words(default), DEFAULT_WORD, selected=False)]


def target_options(watched: WatchedTarget) -> list[discord.SelectOption]:
    """The menu for one target. Without kinds of its own, “the channel’s” is selected."""
    own = watched.target.kinds
    inherited = _option("The channel’s", kinds_in_words(watched.channel.kinds), DEFAULT_WORD, selected=own is None)
    return [*_each(own or ()), inherited]


def _each(selected: Collection[NotificationKind]) -> list[discord.SelectOption]:
    return [
        _option(kind.capitalize(), KIND_WORDS[kind], kind.value, selected=kind in selected) for kind in NotificationKind
    ]


def _option(label: str, description: str, value: str, *, selected: bool) -> discord.SelectOption:
    shown = description[:1].upper() + description[1:]
    return discord.SelectOption(label=label, description=shown, value=value, default=selected)


def picked_kinds(before: Collection[str], picked: Collection[str]) -> Kinds | None:
    """The kinds that a person means by changing the selection from `before` to `picked`; None for the default.

    `all` and `default` exclude the other options, but Discord's menus cannot express that. So the added options decide:
    adding scores to `all` means scores, and adding `all` to scores means all.
    """
    added = set(picked) - set(before) or set(picked)
    if NotificationKind.ALL in added:
        return EVERY_KIND
    if DEFAULT_WORD in added:
        return None
    return Kinds(NotificationKind(value) for value in set(picked) - {NotificationKind.ALL, DEFAULT_WORD})


def completions(text: str) -> list[str]:
    """What someone who typed `text` may want: "machines, sc" can become "machines, scores"."""
    words = kind_words(text)
    # If an appended letter would start a new word, the last word is finished; otherwise it is partial.
    partial = words.pop() if words and kind_words(f"{text}x")[-1] != "x" else ""
    if (finished := kind_or_none(partial)) is not None:
        words.append(finished)
        partial = ""
    done = [kind_or_none(word) for word in words]
    if None in done:
        return []
    if NotificationKind.ALL in done:
        return [NotificationKind.ALL]
    chosen = list(dict.fromkeys(words))
    more = [kind for kind in NotificationKind if kind not in chosen and kind.startswith(partial)]
    if not chosen:
        return [*more, *([DEFAULT_WORD] if DEFAULT_WORD.startswith(partial) else [])]
    longer = [", ".join((*chosen, kind)) for kind in more if kind is not NotificationKind.ALL]
    return longer if partial else [", ".join(chosen), *longer]
