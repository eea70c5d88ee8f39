"""Colours of reports, as #rrggbb: ink on white, one hue for what is shown, red only for what is bad."""

INK = "#1f2933"
MUTED = "#6b7785"
AXIS = "#a5afba"
GRID = "#e6e9ed"
PAPER_2 = "#f6f7f9"
WASH = "#e3edf6"
BEFORE = "#8a96a3"
BAD = "#c2483d"
GOOD = "#2e7d5b"
COLOURS = ("#3d6f9e", "#7fa8c9", "#c99a4b", "#6a9a83", "#8c7aa9", "#b5727f")
