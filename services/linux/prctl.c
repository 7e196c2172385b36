/*
 * prctl, arch_prctl, personality: a process's attributes that have no call of their own.
 *
 * Runs in: the personality's domain. Source: prctl(2), arch_prctl(2), personality(2).
 */
#include "family.h"
#include "memory.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <string.h>

#define PR_SET_PDEATHSIG       1
#define PR_GET_PDEATHSIG       2
#define PR_GET_DUMPABLE        3
#define PR_SET_DUMPABLE        4
#define PR_GET_KEEPCAPS        7
#define PR_SET_KEEPCAPS        8
#define PR_GET_TIMING          13
#define PR_SET_TIMING          14
#define PR_SET_NAME            15
#define PR_GET_NAME            16
#define PR_GET_SECCOMP         21
#define PR_CAPBSET_READ        23
#define PR_CAPBSET_DROP        24
#define PR_GET_TSC             25
#define PR_SET_TSC             26
#define PR_GET_SECUREBITS      27
#define PR_SET_SECUREBITS      28
#define PR_SET_TIMERSLACK      29
#define PR_GET_TIMERSLACK      30
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_SET_NO_NEW_PRIVS    38
#define PR_GET_NO_NEW_PRIVS    39
#define PR_GET_TID_ADDRESS     40
#define PR_CAP_AMBIENT         47

#define PR_TASK_PERF_OFF       31
#define PR_TASK_PERF_ON        32
#define PR_MCE_KILL            33
#define PR_MCE_KILL_GET        34
#define PR_SET_THP_DISABLE     41
#define PR_GET_THP_DISABLE     42
#define PR_GET_SPECULATION     52
#define PR_SET_SPECULATION     53
#define PR_SET_IO_FLUSHER      57
#define PR_GET_IO_FLUSHER      58
#define PR_SCHED_CORE          62
#define PR_SET_MDWE            65
#define PR_GET_MDWE            66
#define PR_SET_MEMORY_MERGE    67
#define PR_GET_MEMORY_MERGE    68
#define PR_SET_VMA             0x53564d41
#define PR_GET_AUXV            0x41555856
#define PR_SET_PTRACER         0x59616d61

#define KEEP_CAPS              0x10u
#define KEEP_CAPS_LOCKED       0x20u
#define NO_AMBIENT_RAISE       0x40u
#define SECURE_BITS            0x555u
#define SECURE_LOCKS           (SECURE_BITS << 1)
#define TIMER_SLACK_NS         50000ul
#define MDWE_REFUSE_EXEC       1u
#define MDWE_NO_INHERIT        2u

static s64 give_int(struct thread *t, u64 to, u32 value)
{
	return copy_out(t, to, &value, sizeof(value));
}

static s64 set_name(struct thread *t, u64 from)
{
	char name[NAME_BYTES] = {0};
	s64 len = copy_string(t, name, from, NAME_BYTES);

	if (len == -EFAULT)
		return -EFAULT;
	name[NAME_BYTES - 1] = 0;
	memcpy(t->name, name, NAME_BYTES);
	return 0;
}

static s64 drop_bounding(struct thread *t, u64 cap)
{
	if (!capable_here(t, CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	t->cred.bounding &= ~(1ul << cap);
	return 0;
}

static s64 ambient(struct thread *t, const u64 *a)
{
	struct cred *c = &t->cred;
	u64 bit = 1ul << (a[2] & 63);

	if (a[3] || a[4] || (a[1] != 4 && a[2] > CAP_LAST_CAP) || (a[1] == 4 && a[2]))
		return -EINVAL;
	switch (a[1]) {
	case 1: /* is set */
		return !!(c->ambient & bit);
	case 2: /* raise */
		if (!(c->permitted & c->inheritable & bit) || c->securebits & NO_AMBIENT_RAISE)
			return -EPERM;
		c->ambient |= bit;
		return 0;
	case 3: /* lower */
		c->ambient &= ~bit;
		return 0;
	case 4: /* clear all */
		c->ambient = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/* What is locked stays; the rest is for the privileged. */
static s64 set_securebits(struct thread *t, u64 bits)
{
	u32 old = t->cred.securebits;

	if (bits & ~(u64)(SECURE_BITS | SECURE_LOCKS) || (old & SECURE_LOCKS) >> 1 & (old ^ bits) ||
	    old & SECURE_LOCKS & ~bits || !capable_here(t, CAP_SETPCAP))
		return -EPERM;
	t->cred.securebits = (u32)bits;
	return 0;
}

/* What concerns credentials. */
static s64 privilege(struct thread *t, const u64 *a)
{
	struct cred *c = &t->cred;

	switch (a[0]) {
	case PR_GET_KEEPCAPS:
		return !!(c->securebits & KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		if (a[1] > 1)
			return -EINVAL;
		if (c->securebits & KEEP_CAPS_LOCKED)
			return -EPERM;
		c->securebits = (c->securebits & ~KEEP_CAPS) | (a[1] ? KEEP_CAPS : 0);
		return 0;
	case PR_CAPBSET_READ:
		return a[1] > CAP_LAST_CAP ? -EINVAL : (s64)(c->bounding >> a[1] & 1);
	case PR_CAPBSET_DROP:
		return drop_bounding(t, a[1]);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(t, a[1]);
	case PR_SET_NO_NEW_PRIVS:
		if (a[1] != 1 || a[2] || a[3] || a[4])
			return -EINVAL;
		t->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a[1] || a[2] || a[3] || a[4] ? -EINVAL : t->no_new_privs;
	case PR_CAP_AMBIENT:
		return ambient(t, a);
	default:
		return -EINVAL;
	}
}

static bool any(const u64 *a, u32 from)
{
	for (u32 i = from; i < 5; i++) {
		if (a[i])
			return true;
	}
	return false;
}

/* Names of anonymous memory are checked, and shown nowhere. */
static s64 name_memory(struct thread *t, const u64 *a)
{
	const u64 range[2] = {a[2], a[3]};
	char name[80];
	u64 end;
	s64 len;
	int err;

	if (a[1])
		return -EINVAL;
	len = a[4] ? copy_string(t, name, a[4], sizeof(name)) : 0;
	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : len;
	for (s64 i = 0; i < len; i++) {
		if (name[i] < ' ' || name[i] > '~' || strchr("\\`$[]", name[i]))
			return -EINVAL;
	}
	if (range[0] % PAGE_SIZE)
		return -EINVAL;
	err = memory_range(range, &end);
	if (err)
		return err > 0 ? 0 : -EINVAL;
	return vma_covers(&thread_mm(t)->vmas, range[0], end) ? 0 : -ENOMEM;
}

static s64 give_auxv(struct thread *t, const u64 *a)
{
	const struct mm *mm = thread_mm(t);
	u64 bytes = mm->auxv_words * sizeof(u64);

	if (a[3] || a[4])
		return -EINVAL;
	if (copy_out(t, a[1], mm->auxv, MIN(bytes, a[2])))
		return -EFAULT;
	return (s64)bytes;
}

/* What concerns memory. */
static s64 memory(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);

	switch (a[0]) {
	case PR_SET_THP_DISABLE:
		if (any(a, 2))
			return -EINVAL;
		mm->no_huge = a[1];
		return 0;
	case PR_GET_THP_DISABLE:
		return any(a, 1) ? -EINVAL : mm->no_huge;
	case PR_SET_MDWE:
		if (a[1] & ~(u64)(MDWE_REFUSE_EXEC | MDWE_NO_INHERIT) || a[1] == MDWE_NO_INHERIT ||
		    any(a, 2))
			return -EINVAL;
		if (mm->mdwe && mm->mdwe != a[1])
			return -EPERM;
		mm->mdwe = (u32)a[1];
		return 0;
	case PR_GET_MDWE:
		return any(a, 1) ? -EINVAL : (s64)mm->mdwe;
	case PR_SET_MEMORY_MERGE: /* equal pages are found by nobody: as with ksm/run 0 */
		if (any(a, 2))
			return -EINVAL;
		mm->merge = a[1];
		return 0;
	case PR_GET_MEMORY_MERGE:
		return any(a, 1) ? -EINVAL : mm->merge;
	case PR_SET_VMA:
		return name_memory(t, a);
	case PR_GET_AUXV:
		return give_auxv(t, a);
	default:
		return privilege(t, a);
	}
}

/* What Linux knows and this machine has little of. */
static s64 machine(struct thread *t, const u64 *a)
{
	switch (a[0]) {
	case PR_TASK_PERF_OFF:
	case PR_TASK_PERF_ON:
		return 0;
	case PR_MCE_KILL: /* clear, or set to late, early, default */
		if (a[3] || a[4] || a[1] > 1 || (a[1] == 0 && a[2]) || (a[1] == 1 && a[2] > 2))
			return -EINVAL;
		t->process->mce_kill = a[1] ? (u32)a[2] + 1 : 0;
		return 0;
	case PR_MCE_KILL_GET:
		if (any(a, 1))
			return -EINVAL;
		return t->process->mce_kill ? t->process->mce_kill - 1 : 2;
	case PR_GET_SPECULATION: /* not affected: nothing to choose */
		return any(a, 2) ? -EINVAL : (a[1] > 2 ? -ENODEV : 0);
	case PR_SET_SPECULATION:
		return a[3] || a[4] ? -EINVAL : (a[1] > 2 ? -ENODEV : -ENXIO);
	case PR_SCHED_CORE:
		return a[1] > 3 ? -EINVAL : -ENODEV;
	case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER:
		if (!capable(t, VFS_CAP_SYS_RESOURCE))
			return -EPERM;
		if (any(a, a[0] == PR_SET_IO_FLUSHER ? 2 : 1) || a[1] > 1)
			return -EINVAL;
		if (a[0] == PR_GET_IO_FLUSHER)
			return t->process->io_flusher;
		t->process->io_flusher = a[1];
		return 0;
	case PR_SET_PTRACER: /* whoever may by its credentials may */
		return (s64)a[1] <= 0 || process_named(t, (u32)a[1]) ? 0 : -EINVAL;
	default:
		return memory(t, a);
	}
}

s64 sys_prctl(struct thread *t, const u64 *a)
{
	struct process *p = t->process;

	switch (a[0]) {
	case PR_SET_PDEATHSIG:
		if (a[1] > SIGNALS)
			return -EINVAL;
		p->death_signal = (s32)a[1];
		return 0;
	case PR_GET_PDEATHSIG:
		return give_int(t, a[1], (u32)p->death_signal);
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (a[1] > 1)
			return -EINVAL;
		p->dumpable = (u32)a[1];
		return 0;
	case PR_GET_TIMING:
		return 0;
	case PR_SET_TIMING:
		return a[1] ? -EINVAL : 0;
	case PR_SET_NAME:
		return set_name(t, a[1]);
	case PR_GET_NAME:
		return copy_out(t, a[1], t->name, NAME_BYTES);
	case PR_GET_SECCOMP:
		return 0;
	case PR_GET_TSC:
		return give_int(t, a[1], 1);
	case PR_SET_TSC:
		return a[1] == 1 ? 0 : -EINVAL;
	case PR_SET_TIMERSLACK: /* timers are as exact as the processor's: nothing to loosen */
		t->timer_slack_ns = (s64)a[1] > 0 ? a[1] : 0;
		return 0;
	case PR_GET_TIMERSLACK:
		return (s64)(t->timer_slack_ns ? t->timer_slack_ns : TIMER_SLACK_NS);
	case PR_SET_CHILD_SUBREAPER:
		p->subreaper = a[1];
		family_changed(p);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return give_int(t, a[1], p->subreaper);
	case PR_GET_TID_ADDRESS:
		return copy_out(t, a[1], &t->clear_child_tid, sizeof(u64));
	default:
		return machine(t, a);
	}
}

#define ARCH_SET_GS    0x1001
#define ARCH_SET_FS    0x1002
#define ARCH_GET_FS    0x1003
#define ARCH_GET_GS    0x1004
#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012

s64 sys_arch_prctl(struct thread *t, const u64 *a)
{
	struct context_state *r = t->regs;

	switch ((s32)a[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (a[1] >= MM_TOP)
			return -EPERM;
		*((s32)a[0] == ARCH_SET_FS ? &r->fs_base : &r->gs_base) = a[1];
		return 0;
	case ARCH_GET_FS:
		return copy_out(t, a[1], &r->fs_base, sizeof(u64));
	case ARCH_GET_GS:
		return copy_out(t, a[1], &r->gs_base, sizeof(u64));
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID: /* the processor cannot make CPUID fault */
		return -ENODEV;
	default:
		return -EINVAL;
	}
}

s64 sys_personality(struct thread *t, const u64 *a)
{
	u32 old = t->personality;

	if ((u32)a[0] != 0xffffffff)
		t->personality = (u32)a[0];
	return old;
}
