"""How the page looks: readable in black and white, on paper, at any width, and by its words alone."""

CSS = """
:root { color-scheme: light; --ink: #1a1a1a; --quiet: #4d4d4d; --line: #b3b3b3; --shade: #f2f2f2; --link: #0b4f8a; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1.5rem 3rem; max-width: 72rem; color: var(--ink); background: #fff;
  font: 15px/1.42 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.12rem; margin: 1.8rem 0 .5rem; padding-bottom: .15rem; border-bottom: 2px solid var(--ink); }
h3 { font-size: 1.05rem; margin: 0; }
p { margin: .25rem 0; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
.quiet, .codes { color: var(--quiet); font-size: .87rem; }
.codes { font-weight: normal; margin-left: .5rem; }
.notice { border: 2px solid var(--ink); border-left-width: .6rem; padding: .4rem .7rem; margin: .7rem 0;
  font-weight: 600; }
dl.head { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .6rem 0; }
dl.head dt { color: var(--quiet); }
dl.head dd { margin: 0; }
table { width: 100%; border-collapse: collapse; margin: .3rem 0 .6rem; }
caption { text-align: left; color: var(--quiet); font-size: .87rem; padding-bottom: .2rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { font-size: .87rem; color: var(--quiet); border-bottom: 1px solid var(--ink); }
tbody th { font-weight: 600; }
.mark { display: inline-block; border: 1px solid var(--ink); border-radius: .2rem; padding: 0 .35rem;
  margin: 0 .3rem 0 0; font-size: .8rem; font-weight: 600; white-space: nowrap; }
th.drug { width: 24%; }
td.who { white-space: nowrap; }
.p1 .mark.priority { background: var(--ink); color: #fff; }
.p2 .mark.priority { border-width: 2px; }
article { border-top: 1px solid var(--line); padding: .55rem 0 .65rem; break-inside: avoid; }
article > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem; }
article ul { margin: .2rem 0; padding-left: 1.2rem; }
.sources { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .2rem 1.6rem;
  margin-top: .25rem; }
.sources section { border-left: 3px solid var(--line); padding-left: .65rem; }
.sources h4 { font-size: .92rem; margin: 0; }
.entry { margin-bottom: .35rem; }
.entry .because { color: var(--quiet); font-size: .87rem; }
.entry .doubt { font-size: .87rem; }
ol.references { padding-left: 1.6rem; font-size: .87rem; }
ul.columns { columns: 15rem; padding-left: 1.1rem; margin: .2rem 0; }
footer { margin-top: 2rem; border-top: 1px solid var(--line); }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2 { break-after: avoid; }
  a { color: inherit; text-decoration: none; }
  tr { break-inside: avoid; }
  .usual, .usual caption, .usual thead th { font-size: 8pt; }
  .usual th, .usual td { padding: .08rem .4rem .08rem 0; line-height: 1.2; }
  .usual br { display: none; }
  .usual td > span ~ span::before { content: "; "; }
  thead { display: table-header-group; }
  @page { margin: 14mm; }
}
""".strip()
