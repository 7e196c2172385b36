/*
 * Restartable sequences: a thread's own area says which processor it is on, and which instructions
 * it wants to be whole. Who is interrupted within them goes on at their abort handler.
 *
 * Runs in: the personality's domain. Source: rseq(2); Linux, include/uapi/linux/rseq.h (layout).
 */
#include "rseq.h"
#include "shard.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>

#define RSEQ_BYTES      32u
#define RSEQ_UNREGISTER 1u
#define AREA_CS         8u  /* where the area points at a sequence */
#define AREA_NODE       20u /* which node it is on; the processor is at 0, twice */

struct k_rseq_cs {
	u32 version, flags;
	u64 start_ip, post_commit_offset, abort_ip;
};

/* Write into the area where the thread is. 0 or -EFAULT. */
static int tell_place(struct thread *t, u64 area)
{
	u32 cpu[2] = {linux_core(), linux_core()}, node = domain_start()->node;

	if (copy_out(t, area, cpu, sizeof(cpu)) ||
	    copy_out(t, area + AREA_NODE, &node, sizeof(node)))
		return -EFAULT;
	t->rseq_place = linux_core() + 1;
	return 0;
}

void rseq_interrupted(struct thread *t)
{
	struct k_rseq_cs cs;
	u64 at, none = 0;
	u32 sig;

	if (!t->rseq || !thread_mm(t))
		return;
	if (t->rseq_place != linux_core() + 1 && tell_place(t, t->rseq))
		goto bad;
	if (copy_in(t, &at, t->rseq + AREA_CS, sizeof(at)) || !at)
		return;
	if (copy_in(t, &cs, at, sizeof(cs)) || cs.version || cs.abort_ip >= MM_TOP)
		goto bad;
	if (copy_out(t, t->rseq + AREA_CS, &none, sizeof(none)))
		goto bad;
	if (t->regs->rip - cs.start_ip >= cs.post_commit_offset)
		return;
	/* The signature proves that the address was meant to be jumped to. */
	if (copy_in(t, &sig, cs.abort_ip - sizeof(sig), sizeof(sig)) || sig != t->rseq_sig)
		goto bad;
	t->regs->rip = cs.abort_ip;
	return;
bad:
	signal_force(t, &(struct k_siginfo){.signo = SIGSEGV, .code = SI_KERNEL});
}

/* rseq(2): register the area, or no longer. */
s64 sys_rseq(struct thread *t, const u64 *a)
{
	u32 none[2] = {0, UINT32_MAX};

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
	if (tell_place(t, a[0]))
		return -EFAULT;
	t->rseq = a[0];
	t->rseq_len = (u32)a[1];
	t->rseq_sig = (u32)a[3];
	return 0;
}
