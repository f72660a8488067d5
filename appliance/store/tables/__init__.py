"""MAPI tables over the store (MS-OXCTABL). Read `sources` (where rows come from), then `sortkeys`,
`arrangement` (the sorted, restricted rows that tables of one definition share), `table` (one client's table:
columns, cursor, bookmarks, categories).
"""
