"""Messages, folders and attachments as MAPI shows them: every property by its tag, in one snapshot.

What is stored comes from the row and the bag; identity, access and what follows from other properties is
worked out here; bodies and headers come from `convert.registry`. `messages.MessageView`,
`attachments.AttachmentView` and `folders.FolderView` answer `get(tag)` and `tags()`; `tables` gives the same
answers to the columns of tables; `content` brings a message of MIME into the form that can be changed.

A view lives as long as its transaction. `get` gives None for what the object does not have.
"""
