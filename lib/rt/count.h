/* The count page (skerry/domain.h). Private to lib/rt. */
#ifndef RT_COUNT_H
#define RT_COUNT_H

struct rt_channel;

/** Add what @c has sent and received since the last time. */
void count_note(struct rt_channel *c);

#endif
