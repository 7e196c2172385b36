/*
 * The monitor of a core: its beginning, and its loop.
 *
 * Beginning: find out who it is, take the core's memory, link to the parent, start the children in
 * the tree; core 0 also starts the serial driver and, when all cores are up, the program that the
 * command line names. The loop does what there is to do and then sleeps with all doorbells armed.
 *
 * Each core's monitor has its own data in its own memory; the text is the node's.
 */
#include "monitor.h"
#include "agreement.h"
#include "channel.h"
#include "cmdline.h"
#include "console.h"
#include "door.h"
#include "link.h"
#include "mem.h"
#include "power.h"
#include "program.h"
#include "route.h"
#include "serial.h"
#include "server.h"
#include "start.h"
#include "task.h"
#include "timer.h"
#include <cpio/cpio.h>
#include <rt/clock.h>
#include <rt/malloc.h>
#include <rt/slots.h>
#include <rt/thread.h>
#include <string.h>

#define FAULT_STATUS 139 /* of a program that a fault ended: what a shell says of SIGSEGV */

struct monitor self;

/* ---- what core 0 starts ---- */

static void program_started(const struct letter_started *letter)
{
	if (!letter->status)
		return;
	console_printf("monitor: the program cannot be started: %s\n",
		       letter->status == -ENOENT    ? "it is not in the image"
		       : letter->status == -ENOEXEC ? "it is no native program"
						    : "not enough memory");
	power_off(letter->status == -ENOENT ? 127 : 126);
}

static void program_ended(const struct letter_ended *letter)
{
	if (letter->death == DEATH_EXIT)
		power_off(letter->status);
	else
		power_off(FAULT_STATUS);
}

static const struct task_watcher program_watcher = {
	.started = program_started,
	.ended = program_ended,
};

static bool image_has(const char *path)
{
	struct cpio_entry entry;
	u64 where;

	return cpio_find(monitor_image(), self.boot->image_bytes, path, &entry, &where) == CPIO_OK;
}

/*
 * What core 0 runs: what the command line names behind "--", a Linux world if the image has one to
 * boot, or the console. Returns false: none of these.
 */
static bool choose_program(struct mon_spawn *what, bool *ends)
{
	bool has_root = image_has("boot/root") || image_has("boot/command");

	*ends = true;
	if (!has_root && cmdline_program(what))
		return true;
	if (has_root ||
	    (image_has("init") && image_has(LINUX_PATH) && !cmdline_number("native", 0))) {
		cmdline_linux(what);
		return true;
	}
	*ends = false;
	*what = (struct mon_spawn){.argc = 1,
				   .args_bytes = sizeof("console"),
				   .path = "sbin/console",
				   .args = "console"};
	return image_has("sbin/console");
}

/* Another core than 0: its share of Linux, if core 0 runs that and the command line says so. */
static void start_shard(void)
{
	static const struct task_watcher nobody;
	static struct mon_spawn what;
	bool ends;

	if (self.core >= cmdline_linux_cores() || !choose_program(&what, &ends) ||
	    strcmp(what.path, LINUX_PATH) != 0)
		return;
	cmdline_linux_shard(&what);
	if (task_new(NULL, self.core, &what, CAP_NONE, &nobody) < 0)
		console_printf("monitor: no memory for Linux on core %u\n", self.core);
}

static void start_program(void)
{
	static const struct task_watcher nobody;
	static struct mon_spawn what;
	bool ends;

	if (!choose_program(&what, &ends)) {
		console_printf("monitor: no program to run: name one behind ' -- '\n");
		return;
	}
	if (task_new(NULL, self.core, &what, CAP_NONE, ends ? &program_watcher : &nobody) < 0)
		power_off(126);
}

/* ---- beginning ---- */

static int heap_frame(u64 bytes, cap_t *frame, u64 *got)
{
	cap_t block = mem_new(bytes, MEM_OWNER_MONITOR);

	if (block == CAP_NONE)
		return -ENOMEM;
	*frame = mem_object(block, CAP_FRAME);
	if (*frame == CAP_NONE) {
		mem_put(block);
		return -ENOMEM;
	}
	*got = mem_bytes(block);
	return 0;
}

static void find_self(void)
{
	self.boot = monitor_handoff();
	self.machine = (const struct machine *)MONITOR_MACHINE_VA;
	self.cores = machine_cores(self.machine);
	self.core = self.boot->core;
	self.ncores = (u32)MIN(cmdline_number("cores", UINT32_MAX), self.machine->ncores);
}

static void init(void)
{
	static struct malloc_source heap = {
		.space = &mem_space,
		.next = MONITOR_HEAP_VA,
		.end = MONITOR_HEAP_END,
		.frame_new = heap_frame,
	};

	thread_init();
	find_self();
	clock_init(self.boot->tsc_hz, self.boot->tsc_start);
	slots_init(SLOT_FIRST_FREE, MONITOR_SLOTS);
	mem_init();
	malloc_init(&heap);
	timer_init();
	door_init();
	route_init();
	console_init();
	start_init();
	task_init();
	channel_init();
	server_init();
	power_init();
	link_init();
	agreement_init();
}

static void introduce_core(void)
{
	const struct machine_core *me = &self.cores[self.core];
	u64 used = self.boot->free_base - self.boot->mem_base + mem_used_bytes();

	console_printf("@core id=%u apic=%u node=%u socket=%u parent=%d mem_kib=%lu tsc_hz=%lu "
		       "up_ms=%lu\n",
		       self.core, me->apic_id, me->node, me->socket,
		       me->parent == MACHINE_NO_CORE ? -1 : me->parent, used / KiB,
		       self.boot->tsc_hz, clock_now_ns() / 1000000);
}

/* ---- the loop ---- */

/* All that can be done without waiting. */
static void work(void)
{
	bool any;

	do {
		any = link_poll();
		start_check();
		any |= route_poll();
		any |= agreement_poll();
		any |= console_poll();
	} while (any);
}

static void wait(void)
{
	struct sys_wait got;
	s64 result = sys_wait(UINT64_MAX, WAIT_CALLS, &got);

	if (result & WAIT_CALLED) {
		server_call(&got, result & WAIT_CAP);
		return;
	}
	if (got.first & 1ul << EVENT_TIMER)
		timer_run();
	if (got.first & 1ul << EVENT_KNOCK)
		link_knocked();
	if (got.first & 1ul << EVENT_DEATH)
		program_reap();
}

_Noreturn void rt_entry(void);

_Noreturn void rt_entry(void)
{
	init();
	if (self.core == 0) {
		start_when_up(start_program);
		serial_start();
	}
	introduce_core();
	start_children();
	if (self.core != 0)
		start_shard();
	for (;;) {
		work();
		if (link_arm() && console_arm())
			wait();
	}
}
