"""What a browser makes of a page, without one."""

from html.parser import HTMLParser

VOID = ("meta", "img", "link", "br", "rect", "line", "path", "circle", "input")


class Reader(HTMLParser):
    """The texts, sources, ids and scripts of a page; each tag is closed, and references within it lead somewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.ids, self.references, self.tags, self.scripts, self.text = (
            [],
            [],
            [],
            [],
            [],
            [],
            "",
        )
        self.feed(text)
        assert self.open == []
        assert len(set(self.ids)) == len(self.ids)
        whole = "<html" in text
        assert not whole or all(one.removeprefix("#") in self.ids for one in self.references)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert not [name for name in given if name.startswith("on")]
        self.tags.append(tag)
        self.sources += [given[name] for name in ("src", "srcset", "data") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        names = ("href", "aria-labelledby", "for", "aria-controls", "aria-describedby")
        self.references += [given[name] for name in names if name in given]
        assert tag != "img" or given["alt"]
        assert tag != "svg" or given["aria-label"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text += f"{data} "
