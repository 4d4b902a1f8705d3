#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# docs/make-html, which is "make html", makes a page of each manual page, and a start page with what the command
# prints. Each link in them has its end, and tags are closed.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need mandoc python3
pages=$build/man/local
[ -e "$pages/abibase.1" ] || skip "the build has no manual pages"
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

"$src/docs/make-html" "$pages" "$tmp/html" "$abibase" || fail "exit status $?"
for page in "$pages"/*.[1-9]; do
	[ -s "$tmp/html/$(basename "$page").html" ] || fail "no page of $page"
	grep -qF "href=\"$(basename "$page").html\"" "$tmp/html/index.html" || fail "the start page does not name $page"
done
python3 - "$tmp/html" << 'END' || fail "what is said above"
import glob
import html.parser
import os
import sys

VOID = {"br", "hr", "link", "meta"}
bad = 0


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.open, self.text, self.path = set(), [], [], "", path
        with open(path, encoding="utf-8") as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        self.links += [attrs[a] for a in ("href", "src") if a in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            say("%s: </%s> closes another" % (self.path, tag))

    def handle_data(self, data):
        self.text += data


def say(words):
    global bad
    bad += 1
    print(words)


pages = {os.path.basename(p): Page(p) for p in glob.glob(sys.argv[1] + "/*.html")}
for name, page in pages.items():
    for link in page.links:
        file, _, anchor = link.partition("#")
        if "://" in link or file == "style.css":
            continue
        end = pages.get(file or name)
        if not end or (anchor and anchor not in end.ids):
            say("%s: %s leads nowhere" % (name, link))
with open(sys.argv[1] + "/index.txt", "w", encoding="utf-8") as f:
    f.write(pages["index.html"].text)
sys.exit(bad > 0)
END
# what is shown is what is printed
for words in 'intersect debian-12 debian-13' 'matrix debian-12 debian-13' list; do
	# shellcheck disable=SC2086
	"$abibase" $words > "$tmp/want" 2>&1
	python3 -c 'import sys; sys.exit(open(sys.argv[1]).read() not in open(sys.argv[2]).read())' "$tmp/want" \
		"$tmp/html/index.txt" || fail "the start page does not show what abibase $words prints"
done
"$src/docs/make-html" "$pages" "$tmp/other" /bin/false 2> "$tmp/err" && [ -e "$tmp/other/index.html" ] &&
	fail 'a start page without output'
[ "$failures" = 0 ]
