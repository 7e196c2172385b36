/* See start.h. Sources: MultiProcessor Specification 1.4, B.4; SDM vol. 3A, 9.4 (INIT-SIPI-SIPI).
 */
#include "start.h"
#include "console.h"
#include "link.h"
#include "monitor.h"
#include "route.h"
#include "timer.h"
#include <corestart/corestart.h>
#include <machine/machine.h>
#include <rt/clock.h>
#include <rt/slots.h>
#include <stdlib.h>
#include <string.h>

#define INIT_WAIT_NS     10000000ul
#define STARTUP_WAIT_NS  200000ul
#define AGAIN_NS         500000000ul
#define START_TIMEOUT_NS (20 * NS_PER_S) /* an emulator with many cores takes its time */

#define EVERYBODY        255u /* APIC id that means all to those in xAPIC mode */

enum child_state {
	CHILD_HELD,     /* built; its wave has not come */
	CHILD_STARTING, /* not heard of */
	CHILD_ALIVE,    /* its subtree is on its way up */
	CHILD_DONE,     /* its subtree is up, as far as the present wave goes */
	CHILD_MISSING
};

struct child {
	u32 core;
	enum child_state state;
	struct startup_child entry;
};

static struct child children[STARTUP_CHILDREN];
static u32 nchildren;
static u32 wave;        /* the present one */
static u32 waiting_for; /* children starting or alive */
static u32 fresh = 1;   /* cores that came up and were not told of; at first this one */
static u32 cores_up;    /* core 0: all */
static bool told;       /* what there is to tell of this wave */
static struct timer timer;
static u64 give_up_ns;
static void (*when_up)(void);

/* ---- building ---- */

/* Map memory of another core to write it. NULL if that is not possible. */
static void *open_window(u64 phys, u64 bytes, cap_t *frame)
{
	void *va;

	*frame = slot_new();
	if (*frame == CAP_NONE)
		return NULL;
	if (sys_frame_mint(SLOT_PHYS, phys, bytes, *frame)) {
		slot_put(*frame);
		return NULL;
	}
	va = vspace_attach(&mem_space, *frame, 0, bytes, MAP_READ | MAP_WRITE);
	if (!va)
		slot_drop(*frame);
	return va;
}

static void close_window(void *va, u64 bytes, cap_t frame)
{
	vspace_detach(&mem_space, va, bytes);
	slot_drop(frame);
}

static struct core_plan plan_for(u32 core)
{
	const struct handoff *boot = self.boot;
	bool same_node = self.cores[core].node == self.cores[self.core].node;

	return (struct core_plan){
		.machine = self.machine,
		.image = monitor_image(),
		.image_phys = boot->image_phys,
		.image_bytes = boot->image_bytes,
		.core = core,
		.text = same_node ? &boot->text : NULL,
		.tsc_hz = boot->tsc_hz,
		.apic_timer_hz = boot->apic_timer_hz,
		.tsc_start = boot->tsc_start,
		.wall_start_ns = boot->wall_start_ns,
		.low_tables = boot->low_tables,
		.low_pdpt = (u64)core_low_page(self.machine, 1) * PAGE_SIZE,
		.cmdline = boot->cmdline,
	};
}

u64 start_built_bytes(u32 core)
{
	static u64 bytes[2]; /* of the cores that bring their node's text along, and of others */
	u32 parent = self.cores[core].parent;
	bool first = parent == MACHINE_NO_CORE || self.cores[parent].node != self.cores[core].node;
	struct core_plan plan = plan_for(core);

	plan.text = first ? NULL : &self.boot->text;
	if (!bytes[first] && core_build_size(&plan, &bytes[first]))
		rt_panic("monitor: the image it came from has changed");
	return bytes[first];
}

/* Build one child's memory, and say in @entry how it enters it. 0 or a negative errno. */
static int build_child(u32 core, struct startup_child *entry)
{
	struct core_plan plan = plan_for(core);
	struct core_window window = {.phys = self.cores[core].mem_base};
	struct core_entry enter;
	cap_t frame;
	int err = core_build_size(&plan, &window.bytes);

	if (!err)
		err = link_expect_child(core, &plan.link_phys);
	if (err)
		return err;
	window.base = open_window(window.phys, window.bytes, &frame);
	if (!window.base)
		return -ENOMEM;
	memset(window.base, 0, window.bytes);
	err = core_build(&plan, &window, &enter);
	close_window(window.base, window.bytes, frame);
	if (err)
		return err;
	*entry = (struct startup_child){
		.apic_id = self.cores[core].apic_id,
		.boot_root = enter.boot_root,
		.kernel_entry = enter.kernel_entry,
		.handoff_va = enter.handoff_va,
	};
	return 0;
}

/*
 * Fill the page through which the children enter: with those that are starting, and no others,
 * because a core that takes another's STARTUP for its own must not find itself there.
 */
static void fill_startup_page(void)
{
	struct startup_child *entries = calloc(STARTUP_CHILDREN, sizeof(*entries));
	struct core_plan plan = plan_for(self.core);
	u64 phys = (u64)core_startup_page(self.machine, self.core) * PAGE_SIZE;
	u32 count = 0;
	cap_t frame;
	void *page;
	int err = -ENOMEM;

	for (u32 i = 0; entries && i < nchildren; i++)
		if (children[i].state == CHILD_STARTING)
			entries[count++] = children[i].entry;
	page = entries && phys ? open_window(phys, PAGE_SIZE, &frame) : NULL;
	if (page) {
		err = core_fill_startup(&plan, page, phys, entries, count);
		close_window(page, PAGE_SIZE, frame);
	}
	free(entries);
	if (err)
		rt_panic("monitor: cannot start cores: error %d", -err);
}

/* ---- waves ---- */

static u32 wave_of_id(u32 apic_id)
{
	if (apic_id < EVERYBODY)
		return 0;
	return apic_id == EVERYBODY ? 1 : 1 + (apic_id >> 8);
}

/* The wave in which @core starts: not before its parent. */
static u32 wave_of(u32 core)
{
	u32 last = 0;

	for (u32 n = 0; n < self.ncores && core != MACHINE_NO_CORE; n++) {
		last = MAX(last, wave_of_id(self.cores[core].apic_id));
		core = self.cores[core].parent;
	}
	return last;
}

/* The wave after @now, or 0 if that is the last. */
static u32 next_wave(u32 now)
{
	u32 next = 0;

	for (u32 core = 0; core < self.ncores; core++) {
		u32 w = wave_of(core);

		if (w > now && (!next || w < next))
			next = w;
	}
	return next;
}

/* ---- what the parent, and core 0, hear ---- */

static void begin_wave(u32 now);

static void tell_missing(u32 root)
{
	for (u32 core = root; core < self.ncores; core++) {
		struct letter_core letter = {.core = core};

		if (route_is_below(core, root))
			route_send(0, LETTER_MISSING, &letter, sizeof(letter));
	}
}

static void missing_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_core *letter = data;

	(void)from;
	(void)bytes;
	console_printf("@missing core=%u\n", letter->core);
}

static void finish_wave(void)
{
	u32 next = next_wave(wave);

	cores_up += fresh;
	fresh = 0;
	if (next) {
		begin_wave(next);
		return;
	}
	if (nchildren)
		fill_startup_page(); /* nobody is starting: it lists nobody (start_park) */
	console_printf("@up cores=%u ms=%lu\n", cores_up, clock_now_ns() / 1000000);
	if (when_up)
		when_up();
}

static void tell_up(void)
{
	struct letter_up letter = {.cores = fresh};

	if (told || waiting_for)
		return;
	told = true;
	if (self.core == 0) {
		finish_wave();
		return;
	}
	fresh = 0;
	console_push(); /* what this core said while it came up is before "@up" on the console */
	route_send(self.cores[self.core].parent, LETTER_UP, &letter, sizeof(letter));
}

static void up_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_up *letter = data;

	(void)bytes;
	for (u32 i = 0; i < nchildren; i++) {
		struct child *c = &children[i];

		if (c->core != from || c->state == CHILD_DONE)
			continue;
		if (c->state != CHILD_MISSING)
			waiting_for--;
		c->state = CHILD_DONE;
		fresh += letter->cores;
	}
	tell_up();
}

/* ---- the steps of starting ---- */

static void give_up(struct child *c)
{
	if (c->state != CHILD_STARTING)
		return;
	c->state = CHILD_MISSING;
	waiting_for--;
	tell_missing(c->core);
}

static void send_startup(void)
{
	u32 page = core_startup_page(self.machine, self.core);

	start_check();
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING)
			sys_core_startup(SLOT_CORE, self.cores[children[i].core].apic_id, page);
}

static bool any_starting(void)
{
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING)
			return true;
	return false;
}

/*
 * A second STARTUP is what the specification asks for. More of them cost nothing (a core that runs
 * ignores them), and help where a core was not ready to take the first two.
 */
static void wake_again(struct timer *t)
{
	if (clock_now_ns() > give_up_ns) {
		start_check();
		for (u32 i = 0; i < nchildren; i++)
			give_up(&children[i]);
		tell_up();
		return;
	}
	send_startup();
	if (any_starting())
		timer_start(t, AGAIN_NS, wake_again);
}

static void wake(struct timer *t)
{
	give_up_ns = clock_now_ns() + START_TIMEOUT_NS;
	send_startup();
	timer_start(t, STARTUP_WAIT_NS, wake_again);
}

void start_check(void)
{
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING && link_is_open(children[i].core))
			children[i].state = CHILD_ALIVE;
}

static void start_now(void)
{
	fill_startup_page();
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING)
			sys_core_init(SLOT_CORE, self.cores[children[i].core].apic_id);
	timer_start(&timer, INIT_WAIT_NS, wake);
}

/* Start the children whose wave it is; those that run hear of it and do the same. */
static void begin_wave(u32 now)
{
	struct letter_wave letter = {.wave = now};

	wave = now;
	told = false;
	for (u32 i = 0; i < nchildren; i++) {
		struct child *c = &children[i];

		if (c->state == CHILD_HELD && wave_of(c->core) <= now) {
			c->state = CHILD_STARTING;
			waiting_for++;
		} else if (c->state == CHILD_DONE) {
			c->state = CHILD_ALIVE;
			waiting_for++;
			route_send(c->core, LETTER_WAVE, &letter, sizeof(letter));
		}
	}
	if (any_starting())
		start_now();
	tell_up();
}

static void wave_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_wave *letter = data;

	(void)bytes;
	if (from == self.cores[self.core].parent)
		begin_wave(letter->wave);
}

static void add_child(u32 core)
{
	struct child *c = &children[nchildren];
	int err = build_child(core, &c->entry);

	c->core = core;
	nchildren++;
	if (!err)
		return;
	console_printf("monitor: core %u cannot be started: error %d\n", core, -err);
	c->state = CHILD_MISSING;
	tell_missing(core);
}

void start_children(void)
{
	machine_for_each_child (self.machine, self.core, core) {
		if (core < self.ncores && nchildren < STARTUP_CHILDREN)
			add_child(core);
	}
	begin_wave(wave_of(self.core));
}

void start_park(u32 core)
{
	sys_core_startup(SLOT_CORE, self.cores[core].apic_id, core_startup_page(self.machine, 0));
}

void start_when_up(void (*then)(void))
{
	when_up = then;
}

void start_init(void)
{
	route_handle(LETTER_UP, up_rx, sizeof(struct letter_up));
	route_handle(LETTER_WAVE, wave_rx, sizeof(struct letter_wave));
	route_handle(LETTER_MISSING, missing_rx, sizeof(struct letter_core));
}
