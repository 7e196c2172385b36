/*
 * The machine as a whole: its names, its memory, its random numbers, its end.
 *
 * Runs in: the personality's domain. Source: uname(2), sysinfo(2), getrandom(2), reboot(2),
 * membarrier(2).
 */
#include "corestate.h"
#include "boot.h"
#include "namespaces.h"
#include "pidns.h"
#include "random.h"
#include "ram.h"
#include "sched.h"
#include "syscall.h"
#include "timens.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>
#include <rt/monitor.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far_ns.h>

s64 sys_uname(struct thread *t, const u64 *a)
{
	struct k_utsname old = *thread_utsname(t);

	if (t->personality & UNAME26) /* for programs that know no later one: personality(2) */
		snprintf(old.release, sizeof(old.release), "2.6.63-skerry");
	return copy_out(t, a[0], &old, sizeof(old));
}

static s64 set_name(struct thread *t, char *name, u64 from, u64 len)
{
	char new[65] = {0};

	if (!thread_may_name(t))
		return -EPERM;
	if (len > 64)
		return -EINVAL;
	if (copy_in(t, new, from, len))
		return -EFAULT;
	memcpy(name, new, sizeof(new));
	far_ns_changed(nsobjects_of(t, NS_UTS));
	return 0;
}

s64 sys_sethostname(struct thread *t, const u64 *a)
{
	return set_name(t, thread_utsname(t)->nodename, a[0], a[1]);
}

s64 sys_setdomainname(struct thread *t, const u64 *a)
{
	return set_name(t, thread_utsname(t)->domainname, a[0], a[1]);
}

s64 sys_sysinfo(struct thread *t, const u64 *a)
{
	struct k_sysinfo out = {
		.uptime = (s64)((clock_now_ns() + (u64)time_ns_offset(t, 7)) / NS_PER_S),
		.mem_unit = 1};
	struct core_state all;

	sched_loads(out.loads);
	for (u32 i = 0; i < 3; i++)
		out.loads[i] <<= 5; /* 16 bits of fraction */
	core_state_sum(&all);
	out.totalram = all.total_bytes;
	out.freeram = all.free_bytes;
	out.procs = (u16)all.threads;
	return copy_out(t, a[0], &out, sizeof(out));
}

s64 sys_getrandom(struct thread *t, const u64 *a)
{
	u64 len = MIN(a[1], 0x1fffffful), done = 0;
	u8 bytes[256];

	if (a[2] & ~7ul || (a[2] & 6) == 6)
		return -EINVAL;
	while (done < len) {
		u64 n = MIN(len - done, sizeof(bytes)), got;

		random_bytes(bytes, n);
		got = a[0] + done <= MM_TOP - n ? mm_copy(thread_mm(t), bytes, a[0] + done, n, true)
						: 0;
		done += got;
		if (got < n)
			return done ? (s64)done : -EFAULT;
	}
	memset(bytes, 0, sizeof(bytes));
	return (s64)done;
}

#define REBOOT_MAGIC1    0xfee1deadu
#define REBOOT_HALT      0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_RESTART   0x01234567u
#define REBOOT_RESTART2  0xa1b2c3d4u
#define REBOOT_CAD_ON    0x89abcdefu
#define REBOOT_CAD_OFF   0u

static bool is_magic(u32 magic)
{
	return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}

/* In a PID namespace: its process 1 ends by a signal that says why (reboot(2)). */
static s64 reboot_namespace(struct pid_ns *ns, u32 command)
{
	switch (command) {
	case REBOOT_RESTART:
	case REBOOT_RESTART2:
		return pid_ns_reboot(ns, SIGHUP);
	case REBOOT_HALT:
	case REBOOT_POWER_OFF:
		return pid_ns_reboot(ns, SIGINT);
	default:
		return -EINVAL;
	}
}

s64 sys_reboot(struct thread *t, const u64 *a)
{
	struct pid_ns *ns = t->process->pid_ns;

	if (!vfs_capable_in(&t->vfs, ns ? ns->ns.owner : NULL, CAP_SYS_BOOT))
		return -EPERM;
	if ((u32)a[0] != REBOOT_MAGIC1 || !is_magic((u32)a[1]))
		return -EINVAL;
	if (ns)
		return reboot_namespace(ns, (u32)a[2]);
	switch ((u32)a[2]) {
	case REBOOT_CAD_ON:
	case REBOOT_CAD_OFF:
		return 0;
	case REBOOT_HALT:
		boot_end(BOOT_HALT);
	case REBOOT_POWER_OFF:
		boot_end(BOOT_POWER_OFF);
	case REBOOT_RESTART:
		boot_end(BOOT_RESTART);
	default:
		return -EINVAL;
	}
}

#define MEMBARRIER_QUERY             0u
#define MEMBARRIER_PRIVATE_RSEQ      0x080u
#define MEMBARRIER_GET_REGISTRATIONS 0x200u
#define MEMBARRIER_ALL               0x3ffu
/* Commands that order, and those that register for them: one bit higher. */
#define MEMBARRIER_PRIVATE  0x0a8u
#define MEMBARRIER_REGISTER 0x154u
#define MEMBARRIER_FLAG_CPU 1u

/* All threads of a process are on this core: what it orders is ordered. */
s64 sys_membarrier(struct thread *t, const u64 *a)
{
	u32 command = (u32)a[0], flags = (u32)a[1];
	struct mm *mm = thread_mm(t);

	if (flags && !(command == MEMBARRIER_PRIVATE_RSEQ && flags == MEMBARRIER_FLAG_CPU))
		return -EINVAL;
	if (command == MEMBARRIER_QUERY)
		return MEMBARRIER_ALL;
	if (command & ~MEMBARRIER_ALL || (command & (command - 1)))
		return -EINVAL;
	if (command == MEMBARRIER_GET_REGISTRATIONS)
		return mm->membarrier;
	if (command & MEMBARRIER_REGISTER)
		mm->membarrier |= command;
	if (command & MEMBARRIER_PRIVATE && !(mm->membarrier & command << 1))
		return -EPERM;
	return 0;
}
