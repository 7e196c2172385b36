/*
 * Notices of the monitor (NOTICE_* of skerry/monitor.h), handed to whom they concern.
 *
 * Private to lib/rt.
 */
#ifndef RT_NOTICE_H
#define RT_NOTICE_H

/** Ask for notices if the monitor has raised the count; wakes the fibers that wait for them. */
void notice_poll(void);

#endif
