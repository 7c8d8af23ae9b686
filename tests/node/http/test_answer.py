"""Answers as bytes."""

from strongroom_node.http.answer import Answer, DateLine, fixed_lines, wire


def test_the_date_changes_with_the_second():
    now = [784111777.0]
    line = DateLine(lambda: now[0])
    assert line() == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"  # the example of RFC 9110, section 5.6.7
    now[0] += 0.9
    assert line() is line()
    now[0] += 0.2
    assert line() == b"Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
    now[0] -= 3600  # a clock that was put right
    assert line() == b"Date: Sun, 06 Nov 1994 07:49:38 GMT\r\n"


def test_nobody_else_dates_an_answer():
    date = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    answer = Answer(200, b"{}", headers={"Date": "yesterday", "date": "tomorrow", "X-One": "1"})
    answer.fixed = fixed_lines({"DATE": "never"})
    for is_head in (False, True):
        made = wire(answer, date, is_head=is_head)
        assert made.lower().count(b"date:") == 1
        assert date in made
        assert b"X-One: 1\r\n" in made
    assert date in wire(Answer(204), date)
