/* See timer.h. */
#include "timer.h"
#include "mem.h"
#include "monitor.h"
#include <rt/clock.h>
#include <rt/slots.h>

static struct timer *armed;
static cap_t object;

static void set_hardware(void)
{
	sys_timer_set(object, EVENT_TIMER, armed ? clock_to_tsc(armed->at_ns) : 0);
}

void timer_init(void)
{
	cap_t block = mem_new(PAGE_SIZE, MEM_OWNER_MONITOR);

	object = slot_new();
	if (sys_retype(block, CAP_TIMER, TIMER_BYTES, object))
		rt_panic("monitor: cannot make its timer");
}

void timer_stop(struct timer *timer)
{
	struct timer **at = &armed;

	if (!timer->armed)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->armed = false;
}

void timer_start(struct timer *timer, u64 delay_ns, void (*fire)(struct timer *timer))
{
	struct timer **at = &armed;

	timer_stop(timer);
	timer->at_ns = clock_now_ns() + delay_ns;
	timer->fire = fire;
	timer->armed = true;
	while (*at && (*at)->at_ns <= timer->at_ns)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
	if (armed == timer)
		set_hardware();
}

void timer_run(void)
{
	u64 now = clock_now_ns();

	while (armed && armed->at_ns <= now) {
		struct timer *timer = armed;

		armed = timer->next;
		timer->armed = false;
		timer->fire(timer);
	}
	set_hardware();
}
