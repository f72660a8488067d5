"""MAPI tables over the store (MS-OXCTABL). Read `sources` (where rows come from), then `sortkeys`, `scan`
(what the C of native/rows is told), `arrangement` (the sorted, restricted rows that tables of one definition
share), `visible` (the rows that are shown, from an arrangement or from an order that the store keeps),
`reading` (their cells, on the wire too, and which match), `table` (one client's table: columns,
cursor, bookmarks, categories). `search` is the source of search folders.
"""
