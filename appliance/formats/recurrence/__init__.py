"""Recurring appointments and tasks: the structures of PidLidAppointmentRecur and PidLidTaskRecurrence, the
dates that they mean, and the time zones beside them (MS-OXOCAL 2.2.1.39, 2.2.1.41, 2.2.1.44).

`pattern` is the codec, `expand` gives the instances, `zones` reads and applies time zones. Dates and times in
all of them are minutes since 1601-01-01 on the clock of the appointment's zone.
"""
