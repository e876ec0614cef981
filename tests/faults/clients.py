"""Single clients in a row's hands, beside its traffic."""

import contextlib

import mails
from inject import timed
from mrtest import Failed
from traffic import Door


def once(world, box, way="smtp", size=1024, timeout=60, strict=False,
         may_be_refused=False):
    """What a client is told that does not come again: the whole answer, or
    how the connection ended. Its domain is one that Postfix knows by itself:
    for others it asks the database, and waits as long as that does. STRICT:
    when it is told 451 the mail is not there, also in a row with doubt."""
    mail = mails.Mail(world.ledger.number(), way, size, "id",
                      "ann@example.test", [box], world.row_name)
    mail.once, mail.strict = True, strict
    mail.may_be_refused = may_be_refused
    world.ledger.intend(mail)
    door = Door(world, way)
    outcomes, text = door.attempt(mail, [box], timeout)
    world.ledger.reply(mail, outcomes, text)
    world.deferred += outcomes[box] in ("temp", "early")
    door.close()
    return text


def deferred(world, how, box=mails.PROBE, most=30, strict=False):
    """A client that comes now is told 451 in time. STRICT: no COMMIT can be
    in doubt."""
    with timed(0, most):
        answer = once(world, box, strict=strict)
    world.expect("451 while %s: %s" % (how, answer),
                 answer.startswith("451 4.3.0"))


def filled(world, n=8, name="read0@example.test", **options):
    """A mailbox with mails."""
    box = world.boxes[name]
    with world.traffic(n, boxes=[name], readers=0,
                       **dict({"ways": {"smtp": 2}}, **options)):
        pass
    return box


@contextlib.contextmanager
def session(world, box):
    """(a POP3 session that has read its mailbox, {number: uidl}). Nobody
    else deletes there meanwhile."""
    with box.lock, contextlib.closing(world.sandbox.pop3(box.address)) as p:
        listed = box.list(p)
        for n in sorted(listed):
            box.read(p, n, listed[n])
        yield p, listed


def answer_of(p, text):
    """What POP3 says, +OK or -ERR."""
    try:
        return p.cmd(text)
    except Failed as e:
        return e.answer


def quit_deleting(world, box, p, listed, most=30):
    """QUIT after a deletion. Its answer."""
    p.cmd("DELE %d" % min(listed))
    box.mark([listed[min(listed)]])
    with timed(0, most):
        answer = answer_of(p, "QUIT")
    box.quit_said(answer)
    return answer


def quit_refused(world, how, box, p, listed, most=30):
    answer = quit_deleting(world, box, p, listed, most)
    world.pop3_refused += 1
    world.expect("-ERR [SYS/TEMP] to QUIT while %s: %s" % (how, answer),
                 answer.startswith("-ERR [SYS/TEMP]"))
