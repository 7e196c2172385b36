/*
 * Restartable sequences: a thread's own area says which processor it is on, and which instructions
 * it wants to be whole. Who is interrupted within them goes on at their abort handler.
 *
 * Runs in: the personality's domain. Source: rseq(2); Linux, include/uapi/linux/rseq.h (layout).
 */
#include "rseq.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>

#define RSEQ_BYTES      32u
#define RSEQ_UNREGISTER 1u
#define AREA_CS         8u /* where the area points at a sequence */

struct k_rseq_cs {
	u32 version, flags;
	u64 start_ip, post_commit_offset, abort_ip;
};

void rseq_interrupted(struct thread *t)
{
	struct k_rseq_cs cs;
	u64 at, none = 0;
	u32 sig;

	if (!t->rseq || !thread_mm(t) || copy_in(t, &at, t->rseq + AREA_CS, sizeof(at)) || !at)
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
