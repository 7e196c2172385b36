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
#define START_TIMEOUT_NS (20 * NS_PER_S) /* an emulator with many cores takes its time */

enum child_state {
	CHILD_STARTING, /* built, not heard of */
	CHILD_ALIVE,    /* has said hello */
	CHILD_DONE,     /* its subtree is up */
	CHILD_MISSING
};

struct child {
	u32 core;
	enum child_state state;
};

static struct child children[STARTUP_CHILDREN];
static u32 nchildren;
static u32 waiting_for;  /* children neither done nor missing */
static u32 cores_up = 1; /* in this subtree, this core included */
static bool told;
static struct timer timer;
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
		.low_tables = boot->low_tables,
		.low_pdpt = (u64)core_low_page(self.machine, 1) * PAGE_SIZE,
		.cmdline = boot->cmdline,
	};
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

/* Fill the page through which the children enter. 0 or a negative errno. */
static int fill_startup_page(const struct startup_child *entries, u32 count)
{
	struct core_plan plan = plan_for(self.core);
	u64 phys = (u64)core_startup_page(self.machine, self.core) * PAGE_SIZE;
	cap_t frame;
	void *page;
	int err;

	page = phys ? open_window(phys, PAGE_SIZE, &frame) : NULL;
	if (!page)
		return -ENOMEM;
	err = core_fill_startup(&plan, page, phys, entries, count);
	close_window(page, PAGE_SIZE, frame);
	return err;
}

/* ---- what core 0 hears ---- */

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

static void tell_up(void)
{
	struct letter_up letter = {.cores = cores_up};

	if (told || waiting_for)
		return;
	told = true;
	if (self.core != 0) {
		route_send(self.cores[self.core].parent, LETTER_UP, &letter, sizeof(letter));
		return;
	}
	console_printf("@up cores=%u ms=%lu\n", cores_up, clock_now_ns() / 1000000);
	if (when_up)
		when_up();
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
		cores_up += letter->cores;
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

static void time_is_over(struct timer *t)
{
	(void)t;
	start_check();
	for (u32 i = 0; i < nchildren; i++)
		give_up(&children[i]);
	tell_up();
}

static void send_startup(void)
{
	u32 page = core_startup_page(self.machine, self.core);

	start_check();
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING)
			sys_core_startup(SLOT_CORE, self.cores[children[i].core].apic_id, page);
}

static void wake_again(struct timer *t)
{
	send_startup();
	timer_start(t, START_TIMEOUT_NS, time_is_over);
}

static void wake(struct timer *t)
{
	send_startup();
	timer_start(t, STARTUP_WAIT_NS, wake_again);
}

void start_check(void)
{
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING && link_is_open(children[i].core))
			children[i].state = CHILD_ALIVE;
}

static void add_child(u32 core, struct startup_child *entry)
{
	struct child *c = &children[nchildren];
	int err = build_child(core, entry);

	c->core = core;
	c->state = CHILD_STARTING;
	nchildren++;
	waiting_for++;
	if (err) {
		console_printf("monitor: core %u cannot be started: error %d\n", core, -err);
		give_up(c);
	}
}

void start_children(void)
{
	struct startup_child *entries = calloc(STARTUP_CHILDREN, sizeof(*entries));
	int err = entries ? 0 : -ENOMEM;

	machine_for_each_child (self.machine, self.core, core) {
		if (!err && core < self.ncores && nchildren < STARTUP_CHILDREN)
			add_child(core, &entries[nchildren]);
	}
	if (!err && nchildren)
		err = fill_startup_page(entries, nchildren);
	free(entries);
	if (err)
		rt_panic("monitor: cannot start cores: error %d", -err);
	for (u32 i = 0; i < nchildren; i++)
		if (children[i].state == CHILD_STARTING)
			sys_core_init(SLOT_CORE, self.cores[children[i].core].apic_id);
	if (waiting_for)
		timer_start(&timer, INIT_WAIT_NS, wake);
	else
		tell_up();
}

void start_when_up(void (*then)(void))
{
	when_up = then;
}

void start_init(void)
{
	route_handle(LETTER_UP, up_rx, sizeof(struct letter_up));
	route_handle(LETTER_MISSING, missing_rx, sizeof(struct letter_core));
}
