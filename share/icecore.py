# SPDX-License-Identifier: Apache-2.0
"""Commands for gdb on top of an icecore server: icecore list, when, goto, diff, last-change ...

`icecore gdb` loads this file; in another gdb: `source /usr/share/icecore/icecore.py` and then
`target extended-remote ADDRESS` of an `icecore serve`. Everything is asked of the server by
`monitor`, so that what a server cannot do is refused by the server, with the reason.
"""
import re

import gdb

# The server's words for "the next resume arrives there": a client forgets what it has read only
# when it has resumed the target, so the server never moves by itself.
ARMED = "the next continue"


def monitor(line):
    """What the server answers to `monitor LINE`; a refusal becomes gdb's own error."""
    text = gdb.execute("monitor " + line, to_string=True)
    if text.startswith("error: "):
        raise gdb.GdbError(text[len("error: "):].rstrip("\n"))
    return text


def travel(text):
    """Shows what the server said and makes the move that it has armed."""
    armed = ARMED in text
    shown = [line for line in text.splitlines() if ARMED not in line]
    if shown:
        print("\n".join(shown))
    if armed:
        gdb.execute("continue")
        gdb.flush()


def moments():
    """Numbers and tags to complete with."""
    text = monitor("list")
    if text.startswith("history of"):
        tags = [line.split()[0] for line in monitor("tag").splitlines() if "  event " in line]
        return ["begin", "present"] + tags
    words = []
    for line in text.splitlines():
        fields = line.lstrip("* ").split()
        if not fields:
            continue
        words.append(fields[0])
        if "threads" in fields:
            words += [word for word in fields[fields.index("threads") + 1:] if not word.startswith("(")]
    return words


def complete_moment(text, word):
    try:
        return [one for one in moments() if one.startswith(word or "")]
    except (gdb.error, gdb.GdbError):
        return gdb.COMPLETE_NONE


class Icecore(gdb.Command):
    """Move and look around in the time of a program: see `icecore help`."""

    def __init__(self):
        super().__init__("icecore", gdb.COMMAND_RUNNING, prefix=True)

    def invoke(self, argument, from_tty):
        if argument:
            raise gdb.GdbError("icecore has no command '%s'; try `icecore help`" % argument.split()[0])
        IcecoreHelp.show()


class IcecoreHelp(gdb.Command):
    """icecore help: these commands, and those of the server."""

    def __init__(self):
        super().__init__("icecore help", gdb.COMMAND_SUPPORT)

    @staticmethod
    def show():
        for command in COMMANDS:
            print("  " + command.__doc__.splitlines()[0])
        try:
            print("\nWhat the server says for itself (`monitor help`):")
            print(monitor("help"), end="")
        except (gdb.error, gdb.GdbError) as error:
            print("  nothing: %s" % error)

    def invoke(self, argument, from_tty):
        self.show()


class Asked(gdb.Command):
    """Asks the server and shows its answer."""
    verb = ""

    def __init__(self):
        super().__init__("icecore " + self.verb, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        print(monitor((self.verb + " " + argument).rstrip()), end="")


class IcecoreList(Asked):
    """icecore list: the moments that there are; * is this one."""
    verb = "list"


class IcecoreWhen(Asked):
    """icecore when: the name of this moment."""
    verb = "when"


class IcecoreInfo(Asked):
    """icecore info: where this is, and what it cost."""
    verb = "info"


class IcecoreTag(Asked):
    """icecore tag [NAME]: the moments that have a name; give this one a name."""
    verb = "tag"


class IcecoreDiff(Asked):
    """icecore diff A [B]: what was written between here (or A) and B."""
    verb = "diff"

    def complete(self, text, word):
        return complete_moment(text, word)


class IcecoreGoto(gdb.Command):
    """icecore goto N|TAG: travel to that moment (of a living program: EVENT, TAG, begin or present)."""

    def __init__(self):
        super().__init__("icecore goto", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        if not argument:
            raise gdb.GdbError("icecore goto needs a number or a tag of `icecore list`")
        travel(monitor("goto " + argument))

    def complete(self, text, word):
        return complete_moment(text, word)


class IcecoreLastChange(gdb.Command):
    """icecore last-change EXPRESSION: travel to just before its value became what it is.

EXPRESSION is anything that has an address: a variable, a field, *pointer, array[3]."""

    def __init__(self):
        super().__init__("icecore last-change", gdb.COMMAND_RUNNING, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        if not argument:
            raise gdb.GdbError("icecore last-change needs an expression: icecore last-change list->head")
        value = gdb.parse_and_eval(argument)
        if value.address is None:
            raise gdb.GdbError("%s is not in memory, so nothing has written it" % argument)
        size = value.type.strip_typedefs().sizeof
        travel(monitor("back-to 0x%x,%d" % (int(value.address), size)))


def prompt(current):
    """Shows the moment; gdb's own prompt in the present, and when no server of ours is connected."""
    try:
        here = gdb.execute("monitor when", to_string=True)
    except gdb.error:
        return None
    past = re.match(r"in the past, at (event \d+(?: and \d+ jumps)?)", here)
    if past:
        return "(" + past.group(1) + ") "
    if not here or here.startswith(("error:", "in the present")):
        return None
    return "(" + here.split(None, 1)[0] + ") "


COMMANDS = [IcecoreList, IcecoreWhen, IcecoreGoto, IcecoreLastChange, IcecoreDiff, IcecoreTag, IcecoreInfo, IcecoreHelp]

Icecore()
for command in COMMANDS:
    command()
gdb.prompt_hook = prompt
