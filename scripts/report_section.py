"""A section of a report, made again in place between its first and its last line, two comments."""


def replace(report, lines, title):
    """Writes `lines` into the file `report`: over the section that begins and ends as they do, else at the end.

    A file that is not there yet begins with the heading `title`.
    """
    begin, end = lines[0], lines[-1]
    text = report.read_text() if report.exists() else f"# {title}\n"
    if begin in text:
        head, rest = text.split(begin, 1)
        tail = rest.split(end, 1)[1] if end in rest else ""
        text = head + "\n".join(lines) + tail
    else:
        text = text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"
    report.write_text(text)
