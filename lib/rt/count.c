/*
 * Keeping the count page (skerry/domain.h): messages by peer core and class.
 */
#include <rt/channel.h>
#include <rt/count.h>
#include <skerry/domain.h>

static struct domain_count *find_line(u32 core, u32 class)
{
	struct domain_counts *page = (struct domain_counts *)DOMAIN_COUNT_VA;
	struct domain_count *last = &page->line[COUNT_LINES - 1];

	for (struct domain_count *line = page->line; line < last; line++) {
		if (!line->used) {
			line->core = (u16)core;
			line->class = (u16) class;
			line->used = 1;
			return line;
		}
		if (line->core == core && line->class == class)
			return line;
	}
	last->core = COUNT_OTHER;
	last->used = 1;
	return last;
}

void count_note(struct rt_channel *c)
{
	const struct ump_counts *now = &c->ump.counts;

	for (u32 class = 0; class < MSG_CLASSES; class ++) {
		u64 sent = now->sent[class] - c->noted_sent[class];
		u64 received = now->received[class] - c->noted_received[class];
		struct domain_count *line;

		if (!sent && !received)
			continue;
		line = find_line(c->peer_core, class);
		line->sent += sent;
		line->received += received;
		c->noted_sent[class] = now->sent[class];
		c->noted_received[class] = now->received[class];
	}
}
