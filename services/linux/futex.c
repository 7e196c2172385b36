/* See futex.h. */
#include "futex.h"
#include "farpage.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>

#define BUCKETS           256u
#define FUTEX_WAIT        0u
#define FUTEX_WAKE        1u
#define FUTEX_REQUEUE     3u
#define FUTEX_CMP_REQUEUE 4u
#define FUTEX_WAKE_OP     5u
#define FUTEX_WAIT_BITSET 9u
#define FUTEX_WAKE_BITSET 10u
#define FUTEX_PRIVATE     128u
#define FUTEX_REALTIME    256u
#define FUTEX_WAITERS     0x80000000u
#define FUTEX_OWNER_DIED  0x40000000u
#define FUTEX_TID_MASK    0x3fffffffu
#define ROBUST_MAX        2048u /* entries that are looked at: ROBUST_LIST_LIMIT */

static struct futex_waiter *buckets[BUCKETS];

static struct futex_waiter **bucket(const struct futex_key *key)
{
	u64 h = ((u64)key->where >> 4) * 31 + (key->offset >> 2);

	return &buckets[(h * 0x9e3779b97f4a7c15ul) >> 56];
}

static bool is_same(const struct futex_key *a, const struct futex_key *b)
{
	return a->where == b->where && a->offset == b->offset;
}

int futex_find(struct mm *mm, u64 addr, bool private, struct futex_key *key)
{
	const struct vma *vma;
	u64 *entry;

	if (addr % 4)
		return -EINVAL;
	if (addr >= MM_TOP)
		return -EFAULT;
	*key = (struct futex_key){.where = mm, .offset = addr};
	if (private)
		return 0;
	vma = vma_at(&mm->vmas, addr);
	if (!vma)
		return -EFAULT;
	if (!(vma->flags & VM_SHARED))
		return 0;
	if (mm_touch(mm, addr, TOUCH_READ, &entry))
		return -EFAULT;
	*key = (struct futex_key){
		.where = entry_page(*entry),
		.offset = addr % PAGE_SIZE,
		.far = page_is_far(entry_page(*entry)),
	};
	return 0;
}

void futex_waiter_remove(struct futex_waiter *w)
{
	for (struct futex_waiter **at = bucket(&w->key); *at; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			return;
		}
	}
}

void futex_waiter_add(struct futex_waiter *w)
{
	struct futex_waiter **at = bucket(&w->key);

	while (*at)
		at = &(*at)->next;
	w->next = NULL;
	*at = w;
}

static void wake(struct futex_waiter *w)
{
	futex_waiter_remove(w);
	w->woken = true;
	fiber_wake_all(w->queue);
}

u32 futex_wake_key(const struct futex_key *key, u32 n, u32 bits)
{
	struct futex_waiter *next;
	u32 woken = 0;

	if (key->far)
		return farfutex_wake(key, n, bits);
	for (struct futex_waiter *w = *bucket(key); w && woken < n; w = next) {
		next = w->next;
		if (is_same(&w->key, key) && w->bits & bits) {
			wake(w);
			woken++;
		}
	}
	return woken;
}

void futex_wake_at(struct mm *mm, u64 addr, u32 n)
{
	struct futex_key key;

	if (futex_find(mm, addr, false, &key))
		return;
	if (key.far)
		farfutex_wake_late(&key, n);
	else
		futex_wake_key(&key, n, UINT32_MAX);
}

/* ---- waiting ---- */

s64 futex_wait_until(struct thread *t, u64 addr, u32 value, u32 bits, bool private, u64 deadline_ns)
{
	struct fiber_queue queue = {0};
	struct futex_waiter w = {.bits = bits, .queue = &queue};
	u32 now;
	int err = futex_find(thread_mm(t), addr, private, &w.key);

	if (err)
		return err;
	if (copy_in(t, &now, addr, sizeof(now)))
		return -EFAULT;
	if (now != value)
		return -EAGAIN;
	if (w.key.far)
		return signal_pending(t) ? -EINTR : farfutex_wait(&w.key, value, bits, deadline_ns);
	futex_waiter_add(&w);
	err = sched_wait(t, &queue, deadline_ns);
	if (w.woken)
		return 0;
	futex_waiter_remove(&w);
	return err;
}

#define RESTART_PRIVATE (1ul << 32) /* in restart_arg2, beside the value */

s64 futex_restart(struct thread *t)
{
	s64 err = futex_wait_until(t, t->restart_arg, (u32)t->restart_arg2, UINT32_MAX,
				   t->restart_arg2 & RESTART_PRIVATE, t->restart_ns);

	return err == -EINTR ? -E_RESTARTBLOCK : err;
}

static s64 futex_wait(struct thread *t, const u64 *a, u32 op, u32 command)
{
	u64 deadline_ns = FIBER_FOREVER;
	u32 bits = command == FUTEX_WAIT_BITSET ? (u32)a[5] : UINT32_MAX;
	struct k_timespec ts;
	s64 err;

	if (!bits)
		return -EINVAL;
	if (a[3]) {
		u64 ns, now_ns = 0;

		if (copy_in(t, &ts, a[3], sizeof(ts)))
			return -EFAULT;
		if (timespec_to_ns(&ts, &ns))
			return -EINVAL;
		if (command == FUTEX_WAIT_BITSET) /* an absolute time */
			timer_read_clock(t, op & FUTEX_REALTIME ? 0 : 1, &now_ns);
		deadline_ns = timer_deadline(ns > now_ns ? ns - now_ns : 0);
	}
	err = futex_wait_until(t, a[0], (u32)a[2], bits, op & FUTEX_PRIVATE, deadline_ns);
	if (err != -EINTR)
		return err;
	if (deadline_ns == FIBER_FOREVER || command == FUTEX_WAIT_BITSET)
		return -E_RESTARTSYS;
	t->restart = futex_restart;
	t->restart_ns = deadline_ns;
	t->restart_arg = a[0];
	t->restart_arg2 = (u32)a[2] | (op & FUTEX_PRIVATE ? RESTART_PRIVATE : 0);
	return -E_RESTARTBLOCK;
}

/* ---- moving and waking ---- */

s64 futex_move(const struct futex_key *from, const struct futex_key *to, u32 nwake, u32 nmove,
	       u32 *moved)
{
	struct futex_waiter *next;
	u32 woken;

	if (from->far || to->far)
		return farfutex_move(from, to, nwake, nmove, moved);
	woken = futex_wake_key(from, nwake, UINT32_MAX);
	*moved = 0;
	for (struct futex_waiter *w = *bucket(from); w && *moved < nmove; w = next) {
		next = w->next;
		if (!is_same(&w->key, from))
			continue;
		++*moved;
		if (is_same(from, to))
			continue;
		futex_waiter_remove(w);
		w->key = *to;
		futex_waiter_add(w);
	}
	return woken;
}

static s64 requeue(struct thread *t, const u64 *a, u32 op, bool compare)
{
	struct futex_key from, to;
	u32 now, moved;
	s64 woken;
	int err = futex_find(thread_mm(t), a[0], op & FUTEX_PRIVATE, &from);

	if ((s32)a[2] < 0 || (s32)a[3] < 0)
		return -EINVAL;
	if (!err)
		err = futex_find(thread_mm(t), a[4], op & FUTEX_PRIVATE, &to);
	if (err)
		return err;
	if (compare) {
		if (copy_in(t, &now, a[0], sizeof(now)))
			return -EFAULT;
		if (now != (u32)a[5])
			return -EAGAIN;
	}
	woken = futex_move(&from, &to, (u32)a[2], (u32)a[3], &moved);
	return woken + (compare ? moved : 0);
}

/*
 * The word at @addr, to be changed: others may have it mapped, and run on other cores meanwhile.
 * Good until the next wait. NULL: it may not be written.
 */
static u32 *word_at(struct thread *t, u64 addr)
{
	u64 *entry;

	if (addr >= MM_TOP || addr % 4 || mm_touch(thread_mm(t), addr, TOUCH_WRITE, &entry))
		return NULL;
	return (u32 *)entry_page(*entry)->data + addr % PAGE_SIZE / 4;
}

/* The operation of FUTEX_WAKE_OP on a word. 0 or -ENOSYS. */
static int operate(u32 code, u32 old, u32 *new)
{
	u32 argument = code >> 12 & 0xfff;

	if (code >> 31)
		argument = 1u << (argument & 31);
	switch (code >> 28 & 7) {
	case 0:
		*new = argument;
		return 0;
	case 1:
		*new = old + argument;
		return 0;
	case 2:
		*new = old | argument;
		return 0;
	case 3:
		*new = old & ~argument;
		return 0;
	case 4:
		*new = old ^ argument;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* ... and its comparison: 0, 1 or -ENOSYS. */
static int holds(u32 code, u32 old)
{
	u32 against = code & 0xfff;

	switch (code >> 24 & 15) {
	case 0:
		return old == against;
	case 1:
		return old != against;
	case 2:
		return (s32)old < (s32)against;
	case 3:
		return (s32)old <= (s32)against;
	case 4:
		return (s32)old > (s32)against;
	case 5:
		return (s32)old >= (s32)against;
	default:
		return -ENOSYS;
	}
}

/* FUTEX_WAKE_OP: an operation on the second word, which decides whether its waiters wake too. */
static s64 wake_op(struct thread *t, const u64 *a, u32 op)
{
	u32 code = (u32)a[5], old, new, woken, *word;
	struct futex_key first, second;
	int yes, err = futex_find(thread_mm(t), a[0], op & FUTEX_PRIVATE, &first);

	if (!err)
		err = futex_find(thread_mm(t), a[4], op & FUTEX_PRIVATE, &second);
	if (err)
		return err;
	word = word_at(t, a[4]);
	if (!word)
		return -EFAULT;
	old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	do {
		err = operate(code, old, &new);
	} while (!err && !__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
						      __ATOMIC_SEQ_CST));
	yes = err ? err : holds(code, old);
	if (yes < 0)
		return yes;
	woken = futex_wake_key(&first, (u32)a[2], UINT32_MAX);
	return woken + (yes ? futex_wake_key(&second, (u32)a[3], UINT32_MAX) : 0);
}

s64 sys_futex(struct thread *t, const u64 *a)
{
	u32 op = (u32)a[1], command = op & 127;
	struct futex_key key;
	int err;

	if (op & FUTEX_REALTIME && command != FUTEX_WAIT_BITSET && command != FUTEX_WAIT)
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return futex_wait(t, a, op, command);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		if (command == FUTEX_WAKE_BITSET && !(u32)a[5])
			return -EINVAL;
		err = futex_find(thread_mm(t), a[0], op & FUTEX_PRIVATE, &key);
		if (err)
			return err;
		return futex_wake_key(&key, (u32)MAX((s32)a[2], 1),
				      command == FUTEX_WAKE_BITSET ? (u32)a[5] : UINT32_MAX);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return requeue(t, a, op, command == FUTEX_CMP_REQUEUE);
	case FUTEX_WAKE_OP:
		return wake_op(t, a, op);
	default:
		return -ENOSYS;
	}
}

/* ---- robust mutexes ---- */

s64 sys_set_robust_list(struct thread *t, const u64 *a)
{
	if (a[1] != 24)
		return -EINVAL;
	t->robust_list = a[0];
	t->robust_len = a[1];
	return 0;
}

s64 sys_get_robust_list(struct thread *t, const u64 *a)
{
	struct thread *of = a[0] ? thread_named(t, (u32)a[0]) : t;
	u64 len = 24, list;

	if (!of)
		return -ESRCH;
	if (of->process != t->process && of->cred.uid != t->cred.euid &&
	    !capable(t, CAP_SYS_PTRACE))
		return -EPERM;
	list = of->robust_list; /* copying waits */
	if (copy_out(t, a[2], &len, sizeof(len)))
		return -EFAULT;
	return copy_out(t, a[1], &list, sizeof(list));
}

static void release(struct thread *t, u64 addr)
{
	u32 old, new, *word = word_at(t, addr);

	if (!word)
		return;
	old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	do {
		if ((old & FUTEX_TID_MASK) != show_pid(t, t->tid))
			return;
		new = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	} while (!__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	futex_wake_at(thread_mm(t), addr, 1);
}

void futex_robust_exit(struct thread *t)
{
	u64 head[3], at; /* first entry, offset of the word, entry being locked or unlocked */

	if (!t->robust_list || copy_in(t, head, t->robust_list, sizeof(head)))
		return;
	at = head[0];
	for (u32 i = 0; i < ROBUST_MAX && (at & ~1ul) != t->robust_list; i++) {
		u64 next;
		bool more = copy_in(t, &next, at & ~1ul, sizeof(next)) == 0;

		if (at != head[2])
			release(t, (at & ~1ul) + head[1]);
		if (!more)
			break;
		at = next;
	}
	if (head[2])
		release(t, (head[2] & ~1ul) + head[1]);
	t->robust_list = 0;
}
