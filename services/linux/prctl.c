/*
 * prctl, arch_prctl, rseq: a process's attributes that have no call of their own.
 *
 * Runs in: the personality's domain. Source: prctl(2), arch_prctl(2), rseq(2).
 */
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

#define KEEP_CAPS              0x10u
#define TIMER_SLACK_NS         50000

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
	if (!capable(t, CAP_SETPCAP))
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
		if (!(c->permitted & c->inheritable & bit))
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
		c->securebits = (c->securebits & ~KEEP_CAPS) | (a[1] ? KEEP_CAPS : 0);
		return 0;
	case PR_CAPBSET_READ:
		return a[1] > CAP_LAST_CAP ? -EINVAL : (s64)(c->bounding >> a[1] & 1);
	case PR_CAPBSET_DROP:
		return drop_bounding(t, a[1]);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_SET_SECUREBITS:
		if (!capable(t, CAP_SETPCAP))
			return -EPERM;
		if (a[1] & ~0xfful)
			return -EINVAL;
		c->securebits = (u32)a[1];
		return 0;
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
		return 0;
	case PR_GET_TIMERSLACK:
		return TIMER_SLACK_NS;
	case PR_SET_CHILD_SUBREAPER:
		p->subreaper = a[1];
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return give_int(t, a[1], p->subreaper);
	case PR_GET_TID_ADDRESS:
		return copy_out(t, a[1], &t->clear_child_tid, sizeof(u64));
	default:
		return privilege(t, a);
	}
}

#define ARCH_SET_GS    0x1001
#define ARCH_SET_FS    0x1002
#define ARCH_GET_FS    0x1003
#define ARCH_GET_GS    0x1004
#define ARCH_GET_CPUID 0x1011

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
	default:
		return -EINVAL;
	}
}

s64 sys_personality(struct thread *t, const u64 *a)
{
	(void)t;
	/* PER_LINUX is the only one; asking is allowed, and so is asking for what there is. */
	return (u32)a[0] == 0xffffffff || (u32)a[0] == 0 ? 0 : -EINVAL;
}

#define RSEQ_BYTES      32u
#define RSEQ_UNREGISTER 1u

/* The area of struct rseq that tells the processor: cpu_id_start, cpu_id, ..., node, mm_cid. */
s64 sys_rseq(struct thread *t, const u64 *a)
{
	u32 cpu[2], none[2] = {0, UINT32_MAX};

	if (a[2] & ~(u64)RSEQ_UNREGISTER)
		return -EINVAL;
	if (a[2] & RSEQ_UNREGISTER) {
		if (!t->rseq || t->rseq != a[0] || t->rseq_len != (u32)a[1])
			return -EINVAL;
		if (t->rseq_sig != (u32)a[3])
			return -EPERM;
		t->rseq = 0;
		return copy_out(t, a[0], none, sizeof(none));
	}
	if (t->rseq) {
		if (t->rseq != a[0] || t->rseq_len != (u32)a[1])
			return -EINVAL;
		return t->rseq_sig == (u32)a[3] ? -EBUSY : -EPERM;
	}
	if (a[0] % 32 || (u32)a[1] < RSEQ_BYTES)
		return -EINVAL;
	cpu[0] = cpu[1] = t->process->home_core;
	if (copy_out(t, a[0], cpu, sizeof(cpu)))
		return -EFAULT;
	t->rseq = a[0];
	t->rseq_len = (u32)a[1];
	t->rseq_sig = (u32)a[3];
	return 0;
}
