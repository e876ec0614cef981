"""The negative control: each of four mistakes that would break a promise turns
rows red, for the reason it should. Several rows each: the one mail that a row
hits may be of a client that does not come again."""

from rows import add_control

add_control("250 before COMMIT", "reply-before-commit.patch",
            ["kill: milter's child", "kill: mariadbd, started again"], "LOST:")
add_control("no receipts", "no-receipts.patch",
            ["milter: fail at milter-before-reply",
             "milter: fail at intake-after-commit",
             "milter: die at deliver-committed",
             "lmtpd: die at lmtp-before-reply"], "DOUBLED:")
add_control("a lost COMMIT answer is retried blindly", "blind-retry.patch",
            ["milter, mails that no retry is known by: done, its answer lost"],
            "DOUBLED:")
add_control("+OK to QUIT before COMMIT", "ok-before-commit.patch",
            ["keeper: die at move-commit", "keeper: fail at keeper-move-begin"],
            "is there after +OK to QUIT")
