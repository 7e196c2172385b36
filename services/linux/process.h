/*
 * Processes and threads.
 *
 *   process_new (fork) -> live -> zombie (its last thread ended) -> gone (its parent has waited)
 *
 * A process has what its threads share; a thread what is its alone. The process's home is the core
 * where it was made: there its identifiers, children and limits are kept.
 *
 * A thread is in user mode (runnable, in the run queue), in a system call (running on a fiber, or
 * waiting on one), stopped, or dead. Only the fiber that runs its call changes a thread that is in
 * a call; all others post a signal and interrupt that fiber.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_PROCESS_H
#define LINUX_PROCESS_H

#include "abi/abi.h"
#include "abi/signal.h"
#include "mm.h"
#include <fiber/fiber.h>
#include <vfs/file.h>
#include <vfs/ns.h>

#define NAME_BYTES 16u /* of a thread, with its NUL */

/* Supplementary groups: shared by those who have the same. */
struct groups {
	u32 refs;
	u32 count;
	u32 id[]; /* ascending */
};

struct cred {
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	struct groups *groups; /* NULL: none */
	u64 effective, permitted, inheritable, bounding, ambient;
	u32 securebits;
	struct user_ns *user_ns; /* NULL: the first; a reference otherwise */
};

struct sigqueue {
	struct sigqueue *next;
	struct k_siginfo info;
};

/* Signals that are pending: a bit each, and what is known of them in the order they came. */
struct pending {
	u64 set;
	struct sigqueue *first;
};

struct sighand {
	u32 refs;
	struct k_sigaction action[SIGNALS];
};

/* A timer of the machine's clocks; see timer.h. */
struct itimer {
	struct fiber_timer node;
	bool armed;
	u64 interval_ns;
	u64 real_ns; /* of the real-time clock; 0: of the monotonic one */
	struct itimer *next_real;
	u64 ended_ns, ended_real_ns; /* when it ended last */
	void (*expired)(struct itimer *timer);
};

/* A timer of the time that a process or one thread of it uses. */
struct cpu_timer {
	struct cpu_timer *next;
	struct process *process;
	struct thread *thread; /* NULL: all of the process */
	bool user_only;
	bool armed;
	u64 expires_ns, interval_ns;
	void (*expired)(struct cpu_timer *timer);
};

/* Kinds of namespaces; see namespaces.h. */
enum {
	KIND_UTS,
	KIND_IPC,
	KIND_NET,
	KIND_CGROUP,
	KIND_TIME,
	KIND_PID,      /* of new children: a process is always where it began (pid_ns) */
	KIND_NEW_TIME, /* of new children, and of the thread once it calls exec */
	NS_KINDS
};

enum thread_state {
	THREAD_RUNNABLE,
	THREAD_IN_CALL,
	THREAD_STOPPED,
	THREAD_DEAD,
};

/* Processors, as sched_setaffinity(2) has them. */
#define CPUS_MAX 512u

struct cpu_set {
	u64 bits[CPUS_MAX / 64];
};

struct thread {
	struct vfs_task vfs; /* its part in files */
	struct process *process;
	struct thread *next;      /* of its process */
	struct thread *hash_next; /* by tid */
	u32 tid;
	char name[NAME_BYTES];
	enum thread_state state;
	struct context *context;
	struct context_state *regs;
	struct cred cred;
	struct ns *ns[NS_KINDS]; /* NULL: the first of its kind */

	/* signals */
	u64 sigmask, saved_sigmask;
	bool restore_sigmask; /* after the signal, or when there is none */
	struct pending pending;
	struct k_stack altstack;
	u64 call_number; /* orig_rax: of the call that is being made; ~0: none */
	u64 restart_ns;  /* restart_syscall: until when */
	s64 (*restart)(struct thread *t);
	u64 restart_arg, restart_arg2;

	/* the call being made */
	struct fiber *fiber;
	struct fiber_queue stopped; /* it waits here while stopped */

	/* scheduling: sched.c */
	struct fiber_timer run_node;
	bool queued;
	s32 policy, priority, nice;
	bool reset_on_fork;
	struct cpu_set cpus; /* where it may run; empty: anywhere (affinity.h) */
	u64 vruntime;
	u64 slice_left_ns;
	u64 user_ticks, system_ticks; /* of the time-stamp counter; see thread_times() */
	u64 charged_ticks;            /* of these, what the scheduler has charged for */
	u64 switches;
	u64 call_began_ns;

	u64 clear_child_tid;
	u64 robust_list, robust_len;
	u64 rseq, rseq_len;
	u32 rseq_sig;
	u32 rseq_place; /* what its area says: 1 + a core; 0: nothing yet */
	bool no_new_privs;
	u32 personality;
	u32 ioprio;
	u64 timer_slack_ns; /* 0: the default */
	bool exiting;
	bool still;      /* its process is about to move: it must not run */
	bool look_first; /* for signals and the like, before it goes to user mode */
};

struct pid_ns;

struct process {
	u32 pid;               /* its number in the first PID namespace, as all numbers here */
	struct pid_ns *pid_ns; /* whose its own numbers are; NULL: the first. pidns.h */
	u32 home_core;
	bool far; /* a ghost: it lives on home_core, this is what relatives know (family.h) */
	struct process *parent, *children, *sibling;
	struct process *list_next, *list_prev; /* all, by pid */
	struct thread *threads;
	u32 nthreads;
	struct mm *mm;
	struct sighand *sighand;
	struct pending pending;
	u32 pgrp, sid;
	bool in_group;         /* counted among the members of both: process_join() */
	bool listed, numbered; /* in the table of processes; its number is counted */
	u32 moves;             /* how often it has moved to another core */
	bool elsewhere;        /* not here yet, or not any more: it moves. Nobody finds it */
	struct k_rlimit limits[RLIMITS];
	bool did_exec;
	bool zombie;
	union {
		struct {
			bool group_exit; /* all threads are to end with exit_status */
			bool stopped;    /* by a signal; threads wait */
			/* There are some, or RLIMIT_CPU: time must be watched. */
			bool has_cpu_timers;
			bool leaving; /* for another core: move.h */
		};
		u32 unusual; /* one of these: looked at after every call */
	};
	u32 move_to;                  /* that core */
	struct thread *mover;         /* who sees to it; the others stand still */
	struct fiber_queue move_wait; /* it waits here until they do */
	u32 exit_status;              /* as wait(2) gives it */
	s32 exit_signal;
	s32 death_signal; /* PR_SET_PDEATHSIG */
	bool subreaper;
	bool unkillable; /* process 1, also of a namespace: takes only signals it has handlers for
			  */
	bool io_flusher;
	u32 mce_kill; /* PR_MCE_KILL: 0, or policy + 1 */
	u32 dumpable;
	s32 oom_score_adj, oom_score_adj_least; /* proctask.c */
	u32 coredump_filter;
	u32 stop_report; /* signal that its parent has not been told of */
	bool cont_report;
	struct fiber_queue child_wait;  /* those who wait for its children */
	struct fiber_queue *vfork_wait; /* its parent, until exec or exit */
	struct itimer real;
	struct cpu_timer virtual, prof; /* ITIMER_* */
	struct cpu_timer *cpu_timers;   /* those that are armed */
	struct posix_timer *posix_timers;
	s32 next_timer_id;
	u64 start_ns;
	u64 dead_user_ns, dead_system_ns; /* of threads that ended */
	u64 children_user_ns, children_system_ns;
	u64 children_maxrss, maxrss_pages;
	u64 minor_faults, children_minor_faults;
	struct process *spare_ghosts; /* while it arrives: family_prepare() */
	char ghost_name[NAME_BYTES];  /* of a ghost of a child */
	u32 uid;                      /* of a ghost, and of a zombie that ended on another core */
};

/* The first process; orphans become its children. */
extern struct process *init_process;

/** All processes in order of pid: the lowest at or above @from; NULL: none. */
struct process *process_from(u32 from);
struct process *process_find(u32 pid);

/** Numbers of processes and threads are below this: /proc/sys/kernel/pid_max. */
extern u64 process_pid_max;

struct thread *thread_find(u32 tid);
u32 process_count(void);
u32 thread_count(void);

/** Is it the number of a thread of a process that is just coming here or leaving? */
bool process_is_elsewhere(u32 tid);

/** The first thread of a process that lives: whom a signal or /proc asks. */
static inline struct thread *process_thread(const struct process *p)
{
	return p->threads;
}

/** An empty process with a pid, in no family yet; NULL: no memory, or no pid left. */
struct process *process_new(u32 pid_wanted);
/**
 * Put what is a process in all but name into the table, or take it out: when it moves, family.h. It
 * may fail to be found by its number (no memory); that is noted.
 */
void process_list(struct process *p);
void process_unlist(struct process *p);
/** The same for one that comes from another core with its number. */
struct process *process_new_arriving(u32 pid);
/** Take a process away that has no threads and no family. */
void process_free(struct process *p);
/** Count one more member of a group and session, or no more. The first may wait. 0 or -errno. */
int membership_get(u32 pgrp, u32 sid);
void membership_put(u32 pgrp, u32 sid);
/** Be the member that was counted, instead of what @p was in. */
void process_set_membership(struct process *p, u32 pgrp, u32 sid);
/** Both, for a process that cannot go meanwhile. 0 or -errno. */
int process_join(struct process *p, u32 pgrp, u32 sid);
/** Has the group a member on this core that is of the session? */
bool process_group_in_session(u32 pgrp, u32 sid);
void process_leave(struct process *p);
void process_adopt(struct process *child, struct process *parent);
void process_disown(struct process *child);

/** A thread of @p; @tid 0: any. Its context has no address space yet. NULL: no memory. */
struct thread *thread_new(struct process *p, u32 tid);
void thread_free(struct thread *t);
/**
 * What /proc and others ask of @p, a zombie that ended on another core: a thread that is dead.
 * Without memory it has none.
 */
void process_leave_husk(struct process *p, struct vfs *vfs);

void groups_put(struct groups *groups);

static inline struct groups *groups_get(struct groups *groups)
{
	if (groups)
		groups->refs++;
	return groups;
}

/** Bring the thread's part in files in line with its credentials and limits. */
void thread_sync_vfs(struct thread *t);
/** The same with its limits for all threads, and for its memory if it has any. */
void process_sync_limits(struct process *p);

/* Has @t the capability in the first user namespace: over the machine? */
static inline bool capable(const struct thread *t, u32 cap)
{
	return !t->cred.user_ns && t->cred.effective >> cap & 1;
}

/* In its own user namespace: over its numbers and what it made? */
static inline bool capable_here(const struct thread *t, u32 cap)
{
	return t->cred.effective >> cap & 1;
}

/* In the user namespace of another thread? */
static inline bool capable_over(const struct thread *t, const struct thread *other, u32 cap)
{
	return vfs_capable_in(&t->vfs, other->cred.user_ns, cap);
}

/* Numbers as @t sees them; and as they are kept, NO_ID if there is none. */
static inline u32 show_uid(const struct thread *t, u32 uid)
{
	return t->cred.user_ns ? user_ns_show(t->cred.user_ns, uid, MAP_USERS) : uid;
}

static inline u32 show_gid(const struct thread *t, u32 gid)
{
	return t->cred.user_ns ? user_ns_show(t->cred.user_ns, gid, MAP_GROUPS) : gid;
}

static inline u32 keep_uid(const struct thread *t, u32 uid)
{
	return t->cred.user_ns ? user_ns_down(t->cred.user_ns, uid, MAP_USERS) : uid;
}

static inline u32 keep_gid(const struct thread *t, u32 gid)
{
	return t->cred.user_ns ? user_ns_down(t->cred.user_ns, gid, MAP_GROUPS) : gid;
}

#define NO_PID UINT32_MAX /* of nobody */

/* pidns.c: what @pid is called in @ns, 0 if it is not there; whom @nr names there, or NO_PID. */
u32 pid_ns_show(const struct pid_ns *ns, u32 pid);
u32 pid_ns_keep(const struct pid_ns *ns, u32 nr);

/* Processes, threads, groups and sessions as @t calls them, 0 if it does not see them; and back. */
static inline u32 show_pid(const struct thread *t, u32 pid)
{
	return t->process->pid_ns ? pid_ns_show(t->process->pid_ns, pid) : pid;
}

static inline u32 keep_pid(const struct thread *t, u32 nr)
{
	return t->process->pid_ns ? pid_ns_keep(t->process->pid_ns, nr) : nr;
}

/* Those that @t calls by a number, NULL if there is none. */
static inline struct process *process_named(const struct thread *t, u32 nr)
{
	return process_find(keep_pid(t, nr));
}

static inline struct thread *thread_named(const struct thread *t, u32 nr)
{
	return thread_find(keep_pid(t, nr));
}

static inline struct mm *thread_mm(const struct thread *t)
{
	return t->process->mm;
}

/** End @p by a signal or with an exit status, as wait(2) gives it: its threads end before they next
 * go to user mode. exit.c. */
void process_kill(struct process *p, u32 status);

/** Take from a thread all that it has; the last one makes its process a zombie. By sched.c. */
void thread_end(struct thread *t);

/** Forget a zombie whose parent has waited or does not want to. */
void process_reap(struct process *p);

/** The time a thread has used, up to its present call. */
void thread_times(const struct thread *t, u64 *user_ns, u64 *system_ns);

/** Of a process with all its threads, so far. */
void process_times(const struct process *p, u64 *user_ns, u64 *system_ns);

#endif
