/*
 * What victims do: things that end them, and things that a second domain is needed for. Each is a
 * function that returns the exit status, if it returns.
 */
#include "calls.h"

#define GIFT DOMAIN_SLOT_GIFTS

/* Map the frame that was given. */
static volatile u64 *map_gift(u32 flags)
{
	return vspace_attach(&rt_space, GIFT, 0, PAGE_SIZE, flags);
}

static int write_read_only(void)
{
	volatile u64 *page = map_gift(MAP_READ);

	if (!page || *page != 1) /* reading is allowed */
		return 2;
	*page = 2;
	return 1;
}

static int execute_data(void)
{
	static u8 code[] = {0xc3};
	void (*volatile function)(void) = (void (*)(void))(void *)code;

	function();
	return 1;
}

static int write_code(void)
{
	*(volatile u8 *)(void *)write_code = 0xcc;
	return 1;
}

static int read_kernel(void)
{
	return *(volatile u8 *)KERNEL_BASE;
}

static int read_physmap(void)
{
	return *(volatile u8 *)PHYSMAP_BASE;
}

static int overflow_stack(void)
{
	volatile u8 deep[2 * DOMAIN_STACK_BYTES];

	/* Where the guard is, without a step over it. */
	for (u64 i = sizeof(deep); i > 0; i -= PAGE_SIZE)
		deep[i - 1] = 1;
	return deep[0];
}

static int execute_privileged(void)
{
	__asm__ volatile("cli");
	return 1;
}

static int do_port_io(void)
{
	__asm__ volatile("outb %%al, $0x80" : : "a"(0));
	return 1;
}

/* The capability that RETYPE's memory comes from is revoked while its frame is mapped. */
static int use_revoked_memory(void)
{
	cap_t frame = slot_new();
	struct rt_frame ram;
	volatile u64 *page;

	if (rt_ram_new(PAGE_SIZE, &ram) || sys_retype(ram.cap, CAP_FRAME, PAGE_SIZE, frame))
		return 2;
	page = vspace_attach(&rt_space, frame, 0, PAGE_SIZE, MAP_READ | MAP_WRITE);
	if (!page)
		return 3;
	*page = 1;
	if (sys_cap_revoke(ram.cap) || sys_cap_info(frame, &(struct cap_info){0}) != -EBADF)
		return 4;
	*page = 2;
	return 1;
}

/* ---- callers, for ipc.c ---- */

static int call_with_words(void)
{
	struct sys_words words = {.w = {1, 2, 3, 4, 5}};

	if (sys_call(GIFT, &words))
		return 1;
	for (u64 i = 0; i < 5; i++)
		if (words.w[i] != 3 * (i + 1))
			return 2;
	return 0;
}

static int call_with_cap(void)
{
	cap_t back = slot_new();
	struct sys_words words = {0};
	struct rt_frame frame;
	volatile u64 *page = rt_frame_map_new(PAGE_SIZE, &frame);

	if (!page)
		return 1;
	*page = 0xabc;
	sys_receive_slot(back);
	if (sys_call(GIFT | SEND_CAP(frame.cap), &words) != WAIT_CAP)
		return 2;
	page = vspace_attach(&rt_space, back, 0, PAGE_SIZE, MAP_READ);
	if (!page)
		return 3;
	return *page == 0xdef ? 0 : 4;
}

/* Call once; the answer's first word is the status. */
static int call_once(void)
{
	struct sys_words words = {0};

	return sys_call(GIFT, &words) == 0 ? (int)words.w[0] : 1;
}

/* Give the test an endpoint to here, then die as soon as it calls. */
static void die_in_call(struct rt_call *call, void *arg)
{
	(void)call;
	(void)arg;
	sys_domain_exit(7);
}

static int serve_and_die(void)
{
	struct sys_words words = {0};
	cap_t endpoint = rt_endpoint_new(1);

	if (rt_serve(die_in_call, NULL) || sys_call(GIFT | SEND_CAP(endpoint), &words) < 0)
		return 1;
	rt_sleep_forever();
}

/* Count in the frame that was given, for ever. */
static int count(void)
{
	volatile u64 *page = map_gift(MAP_READ | MAP_WRITE);

	while (page)
		++*page;
	return 1;
}

static const struct {
	const char *name;
	int (*run)(void);
} acts[] = {
	{"write-read-only", write_read_only},
	{"execute-data", execute_data},
	{"write-code", write_code},
	{"read-kernel", read_kernel},
	{"read-physmap", read_physmap},
	{"overflow-stack", overflow_stack},
	{"execute-privileged", execute_privileged},
	{"do-port-io", do_port_io},
	{"use-revoked-memory", use_revoked_memory},
	{"call-with-words", call_with_words},
	{"call-with-cap", call_with_cap},
	{"call-once", call_once},
	{"serve-and-die", serve_and_die},
	{"count", count},
};

int victim_main(int argc, char **argv)
{
	for (u32 i = 0; i < ARRAY_SIZE(acts); i++)
		if (argc == 1 && strcmp(argv[0], acts[i].name) == 0)
			return acts[i].run();
	return 99;
}
