/* See agreement.h. */
#include "agreement.h"
#include "channel.h"
#include "cmdline.h"
#include "console.h"
#include "export.h"
#include "lend.h"
#include "link.h"
#include "monitor.h"
#include "route.h"
#include "start.h"
#include "task.h"
#include "timer.h"
#include <agree/map.h>
#include <memown/memown.h>
#include <rt/clock.h>
#include <stdlib.h>
#include <string.h>

#define DATA_MAX   512u       /* of one message: the longest change of a name, and then some */
#define RETRY_NS   10000000ul /* after want of memory */
#define FENCE_NS   2000000ul  /* after INIT was sent: an emulated core hears it late */
#define SUSPECT_MS 10000ul
#define PING_MS    1000ul

struct agree *agreement;
struct names agreement_names;

static struct agree_config config;
static struct timer tick_timer, retry_timer;
static bool tick_due;

static void *allocate(void *ctx, size_t bytes)
{
	(void)ctx;
	return calloc(1, bytes);
}

static void release(void *ctx, void *p, size_t bytes)
{
	(void)ctx;
	(void)bytes;
	free(p);
}

/* ---- time ---- */

static void tick(struct timer *timer)
{
	(void)timer;
	tick_due = true;
}

/* What has arrived is taken first, lest a core be suspected whose answer lies here. */
static void take_tick(void)
{
	if (!tick_due || agree_tick(agreement, clock_now_ns()))
		return;
	tick_due = false;
}

static void set_tick(void)
{
	u64 deadline = agree_deadline(agreement), now = clock_now_ns();

	if (deadline && !tick_due && !tick_timer.armed)
		timer_start(&tick_timer, deadline > now ? deadline - now : 0, tick);
}

/* To be woken is enough: the loop tries again. */
static void woken(struct timer *timer)
{
	(void)timer;
}

static void retry_later(void)
{
	if (!retry_timer.armed)
		timer_start(&retry_timer, RETRY_NS, woken);
}

/* ---- receiving ---- */

static bool line_rx(u32 from, const struct msg *m)
{
	int err = agree_rx(agreement, from, m->type, m->payload);

	if (err)
		retry_later();
	return !err;
}

/* ---- deaths ---- */

struct fence {
	struct timer timer;
	u32 core;
};

static void fence_obeyed(struct timer *timer)
{
	struct fence *fence = container_of(timer, struct fence, timer);

	start_park(fence->core);
	if (!link_drain(fence->core) || agree_fenced(agreement, fence->core)) {
		timer_start(timer, RETRY_NS, fence_obeyed);
		return;
	}
	free(fence);
}

/* Stop @core for good. False: no memory, try again. */
static bool fence_send(u32 core)
{
	struct fence *fence = calloc(1, sizeof(*fence));

	if (!fence)
		return false;
	fence->core = core;
	sys_core_init(SLOT_CORE, self.cores[core].apic_id);
	console_printf("@fenced core=%u by=%u ms=%lu\n", core, self.core, clock_now_ns() / 1000000);
	timer_start(&fence->timer, FENCE_NS, fence_obeyed);
	return true;
}

/* The agreed view will not have @core: let go of it. */
static void core_died(u32 core)
{
	link_drain(core);
	link_core_died(core);
	route_core_died(core);
	console_core_died();
	channel_core_died(core);
	task_core_died(core);
}

/* ---- the outbox ---- */

/* Do one entry. False: not now. */
static bool put_out(const struct agree_out *out)
{
	struct agreement_request *request = (struct agreement_request *)out->token;

	switch (out->kind) {
	case AGREE_OUT_SEND:
		return link_send(out->core, out->type, out->line, AGREE_LINE) != -ENOMEM;
	case AGREE_OUT_RESULT:
		request->done(request, out->status);
		return true;
	case AGREE_OUT_FENCE:
		return fence_send(out->core);
	case AGREE_OUT_VIEW:
		program_notify_cores(); /* who lives is read when it is asked for */
		return true;
	default:
		return true;
	}
}

/* The same for entries after which the library is to be told: they are taken out before. */
static bool answer(const struct agree_out *out)
{
	struct agree_out entry = *out;

	if (entry.kind != AGREE_OUT_CLOSE && entry.kind != AGREE_OUT_RECALL &&
	    entry.kind != AGREE_OUT_UNMAP)
		return false;
	agree_out_done(agreement);
	if (entry.kind == AGREE_OUT_UNMAP) {
		export_unmap(&entry.range);
		memown_unmapped(&lend_memown, entry.token);
		return true;
	}
	if (entry.kind == AGREE_OUT_RECALL) {
		agree_recalled(agreement, entry.token);
		return true;
	}
	core_died(entry.core);
	agree_closed(agreement, entry.core);
	return true;
}

static bool empty_outbox(void)
{
	const struct agree_out *out;
	bool any = false;

	while ((out = agree_out(agreement))) {
		if (!answer(out)) {
			if (!put_out(out)) {
				retry_later();
				return any;
			}
			agree_out_done(agreement);
		}
		any = true;
	}
	agree_pump(agreement);
	return any;
}

bool agreement_poll(void)
{
	bool any = empty_outbox();

	if (any)
		return true; /* there may be more messages: they come before a tick */
	take_tick();
	any = empty_outbox();
	set_tick();
	return any;
}

/* ---- the beginning ---- */

/* The machine as the command line wants it: the first so many cores. */
static const struct machine *used_machine(void)
{
	struct machine *copy;

	if (self.ncores == self.machine->ncores)
		return self.machine;
	copy = malloc(self.machine->size_bytes);
	if (!copy)
		return NULL;
	memcpy(copy, self.machine, self.machine->size_bytes);
	copy->ncores = self.ncores;
	return copy;
}

void agreement_init(void)
{
	config = (struct agree_config){
		.self = self.core,
		.machine = used_machine(),
		.types = {[AGREEMENT_MAP] = &map_type,
			  [AGREEMENT_NAMES] = &names_type,
			  [AGREEMENT_LEDGER] = &ledger_type},
		.memory = {allocate, release, NULL},
		.data_max = DATA_MAX,
		.ping_after_ns = cmdline_number("agree.ping_ms", PING_MS) * 1000000,
		.suspect_after_ns = cmdline_number("agree.suspect_ms", SUSPECT_MS) * 1000000,
	};
	config.type_ctx[AGREEMENT_LEDGER] = &lend_memown;
	config.type_ctx[AGREEMENT_MAP] = config.type_ctx[AGREEMENT_NAMES] = &config.memory;
	if (config.machine) {
		config.out_slots = 2 * agree_step_max(&config);
		config.out = calloc(config.out_slots, sizeof(*config.out));
		agreement = calloc(1, agree_size(self.ncores));
	}
	if (!config.out || !agreement || agree_init(agreement, &config) ||
	    names_init(&agreement_names, agreement, AGREEMENT_NAMES) ||
	    lend_init(&config, AGREEMENT_LEDGER))
		rt_panic("monitor: cannot agree with others");
	link_handle(MSG_AGREE, line_rx);
}
