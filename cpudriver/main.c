/*
 * A core's first steps in its CPU driver: take the hand-off, set up the processor, make the
 * monitor out of what the builder prepared, and start it.
 *
 * Reading order of this folder: this file; arch/x86_64/entry.S (ways in and out); syscall.c (the
 * calls); cap.c and object.c; domain.c, sched.c, ipc.c; aspace.c and pagetable.c; context.c; irq.c.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/tramp.h"
#include "aspace.h"
#include "domain.h"
#include "kernel.h"
#include "log.h"
#include "sched.h"

struct handoff boot;

/* The monitor's objects: the only ones that are not made by RETYPE. */
static struct cap monitor_table[MONITOR_SLOTS];
static struct domain monitor_domain;
static struct aspace monitor_aspace;

_Noreturn void kernel_main(const struct handoff *handoff);

int copy_user(void *to, const void *from, u64 bytes);

static bool is_user_range(u64 at, u64 bytes)
{
	return at < USER_END && bytes <= USER_END - at;
}

int user_read(void *to, u64 from, u64 bytes)
{
	return is_user_range(from, bytes) ? copy_user(to, (const void *)from, bytes) : -EFAULT;
}

int user_write(u64 to, const void *from, u64 bytes)
{
	return is_user_range(to, bytes) ? copy_user((void *)to, from, bytes) : -EFAULT;
}

static void take_handoff(const struct handoff *handoff)
{
	memcpy(&boot, handoff, sizeof(boot));
	/* Only what stands in the hand-off itself can be reported so early. */
	if (boot.magic != HANDOFF_MAGIC || boot.version != HANDOFF_VERSION)
		panic("hand-off of version %u, expected %u", boot.version, HANDOFF_VERSION);
	boot.cmdline[CMDLINE_MAX - 1] = 0;
}

static void give(cap_t slot, const struct cap *cap)
{
	cap_insert(&monitor_table[slot], cap, NULL);
}

/* What the monitor finds in its table (skerry/handoff.h). */
static void give_capabilities(void)
{
	u64 end = boot.mem_base + boot.mem_bytes;

	give(SLOT_DOMAIN, &(struct cap){.type = CAP_DOMAIN,
					.rights = RIGHT_CALL | RIGHT_GRANT | RIGHT_READ,
					.obj = {.ptr = &monitor_domain}});
	give(SLOT_ASPACE, &(struct cap){.type = CAP_ASPACE,
					.rights = RIGHTS_ALL,
					.obj = {.ptr = &monitor_aspace}});
	give(SLOT_RAM,
	     &(struct cap){.type = CAP_RAM,
			   .rights = RIGHTS_ALL,
			   .mem = {.base = boot.free_base, .bytes = end - boot.free_base}});
	give(SLOT_PHYS, &(struct cap){.type = CAP_PHYS, .rights = RIGHTS_ALL & ~RIGHT_GRANT});
	give(SLOT_CORE, &(struct cap){.type = CAP_CORE, .rights = RIGHTS_ALL});
	give(SLOT_IMAGE, &(struct cap){.type = CAP_FRAME,
				       .rights = RIGHT_READ | RIGHT_EXEC | RIGHT_GRANT,
				       .flags = CAPF_FOREIGN,
				       .mem = {.base = boot.image_phys,
					       .bytes = ROUND_UP(boot.image_bytes, 2 * MiB)}});
	give(SLOT_MACHINE,
	     &(struct cap){.type = CAP_FRAME,
			   .rights = RIGHT_READ | RIGHT_GRANT,
			   .flags = CAPF_FOREIGN,
			   .mem = {.base = boot.text.machine_phys,
				   .bytes = ROUND_UP(boot.machine_bytes, PAGE_SIZE)}});
}

static void make_monitor(void)
{
	struct domain *d = &monitor_domain;

	aspace_init_boot(&monitor_aspace, boot.monitor_root);
	domain_init(d);
	d->aspace = &monitor_aspace;
	d->table = monitor_table;
	d->slots = MONITOR_SLOTS;
	d->priority = PRIORITY_MONITOR;
	d->image_offset = boot.monitor_image_offset;
	memcpy(d->info.name, "monitor", 8);
	d->regs = (struct regs){.rip = boot.monitor_entry,
				.rsp = MONITOR_STACK_TOP,
				.rdi = MONITOR_BOOT_VA,
				.rflags = RFLAGS_FIXED | RFLAGS_IF,
				.r11 = RFLAGS_FIXED | RFLAGS_IF};
	monitor = d;
	give_capabilities();
	sched_wake(d);
}

_Noreturn void kernel_main(const struct handoff *handoff)
{
	log_direct(handoff->core == 0);
	take_handoff(handoff);
	tramp_cr3 = boot.kernel_root;
	write_cr3(boot.kernel_root);
	cpu_init();
	apic_init();
	tramp_map_init();
	if (apic_id() != boot.apic_id)
		panic("this core has APIC id %u, its hand-off says %u", apic_id(), boot.apic_id);
	make_monitor();
	sched_resume();
}
