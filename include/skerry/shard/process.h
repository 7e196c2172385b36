/*
 * Processes between cores: where they live, what happens to relatives that live elsewhere, calls
 * that concern far processes.
 *
 * Who sends what, and when: services/linux/directory.h (numbers), family.h (relatives), afar.h
 * (calls).
 */
#ifndef SKERRY_SHARD_PROCESS_H
#define SKERRY_SHARD_PROCESS_H

#include <skerry/shard.h>

#define PROCESS_OP(number) SHARD_OP(SHARD_PROCESSES, number)

/* Numbers: directory.c. */
#define PROCESS_LEASE   PROCESS_OP(0x00) /* to core 0; the result is the first block */
#define PROCESS_HOME    PROCESS_OP(0x01) /* to core 0; struct process_number; result: a core */
#define PROCESS_WHERE   PROCESS_OP(0x02) /* to its home; struct process_number; result: a core */
#define PROCESS_LIVES   PROCESS_OP(0x03) /* tell, to its home; struct process_number */
#define PROCESS_GONE    PROCESS_OP(0x04) /* tell, to its home; struct process_number */
#define PROCESS_JOIN    PROCESS_OP(0x05) /* to its home; struct process_number */
#define PROCESS_LEAVE   PROCESS_OP(0x06) /* tell, to its home; struct process_number */
#define PROCESS_MEMBERS PROCESS_OP(0x07) /* to its home; the answer is a set of cores */

/* Relatives: family.c. */
#define PROCESS_CHILD  PROCESS_OP(0x10) /* tell, to the parent's core; struct process_child */
#define PROCESS_PARENT PROCESS_OP(0x11) /* tell, to the child's core; struct process_parent */
#define PROCESS_ADOPT  PROCESS_OP(0x12) /* tell, to the heir's core; struct process_child */

/* Calls for far processes: afar.c. */
#define PROCESS_CALL     PROCESS_OP(0x20) /* struct process_call */
#define PROCESS_USER     PROCESS_OP(0x21) /* memory of who called; struct process_user */
#define PROCESS_SIGNAL   PROCESS_OP(0x22) /* tell; struct process_signal: of the system itself */
#define PROCESS_LIST     PROCESS_OP(0x23) /* struct process_number: from where; answer: u32[] */
#define PROCESS_INFO     PROCESS_OP(0x25) /* struct process_number; answer: struct process_who */
#define PROCESS_AWAIT    PROCESS_OP(0x27) /* struct process_number: answered when it has ended */
#define PROCESS_ORPHANED PROCESS_OP(0x28) /* struct process_group; result: 1 or 0 */
#define PROCESS_IN_GROUP PROCESS_OP(0x29) /* struct process_group; result: 1 or 0 */
#define PROCESS_FILE     PROCESS_OP(0x24) /* struct process_file: a file of /proc/PID */

struct process_number {
	u32 number;
	u32 use;   /* NUMBER_* of services/linux/numbers.h, for groups and sessions */
	u32 core;  /* where it lives */
	u32 moves; /* how often its process has moved */
};

static_assert(sizeof(struct process_number) == 16, "no holes");

/* What a child is to its parent. */
struct process_child {
	u32 parent, pid;
	u32 what; /* CHILD_* */
	u32 core; /* where it lives */
	u32 pgrp, sid;
	u32 uid;
	s32 exit_signal;
	u32 status; /* of its end, as wait(2) gives it; or the signal that stopped it */
	u32 flags;  /* CHILD_HAS_* */
	s32 death_signal;
	u32 moves;
	u64 user_ns, system_ns; /* of its own and of its children */
	u64 children_user_ns, children_system_ns;
	u64 maxrss_pages, children_maxrss;
	u64 minor_faults, children_minor_faults;
	char name[16]; /* of its first thread, with its NUL */
};

static_assert(sizeof(struct process_child) == 128, "no holes");

#define CHILD_BORN         1u /* its parent has come to another core, or it has a new one */
#define CHILD_MOVED        2u
#define CHILD_GROUP        3u /* pgrp, sid, uid, exit_signal may be others */
#define CHILD_STOPPED      4u
#define CHILD_CONTINUED    5u
#define CHILD_ENDED        6u
#define CHILD_WHATS        7u

#define CHILD_HAS_EXECED   1u
#define CHILD_IS_ZOMBIE    2u
#define CHILD_IS_STOPPED   4u /* and its parent has not been told of it: status */
#define CHILD_IS_CONTINUED 8u /* the same */

/* What a parent is to its child. */
struct process_parent {
	u32 child;
	u32 pid, core; /* of the parent from now on */
	u32 pgrp, sid;
	u32 what; /* PARENT_* */
	u32 dead; /* PARENT_DIED: who it was; its real and effective user */
	u32 uid, euid;
	u32 subreaper; /* prctl(2): it gets its descendants' orphans */
};

static_assert(sizeof(struct process_parent) == 40, "no holes");

#define PARENT_MOVED 1u
#define PARENT_GROUP 2u /* pgrp and sid are others */
#define PARENT_DIED  3u /* this is the new one */
#define PARENT_WHATS 4u

/*
 * Who asks, wherever a call is made for a thread: @ngroups of u32 come behind the structure that
 * has it.
 */
struct process_who {
	u32 tgid, tid;
	u32 pgrp, sid;
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	u64 effective, permitted;
	u32 user_ns; /* number of its file; 0: the first */
	u32 ngroups;
};

static_assert(sizeof(struct process_who) == 72, "no holes");

#define WHO_GROUPS_MAX 65536u

/* PROCESS_CALL: the system call @number, made where a process lives for a thread elsewhere. */
struct process_call {
	u64 args[6];
	u32 number;
	u32 alone; /* of a call to many processes: only those of the core that is asked */
	struct process_who who;
};

static_assert(sizeof(struct process_call) == 128, "no holes");

/* PROCESS_USER: memory of the thread that made the call; bytes to be written come behind it. */
struct process_user {
	u32 tid;
	u32 write;
	u64 addr;
	u64 bytes;
};

static_assert(sizeof(struct process_user) == 24, "no holes");

#define PROCESS_USER_MAX 32768u /* bytes at once */

/* PROCESS_SIGNAL: to a group (@pgrp) or a process, of the system itself. */
struct process_signal {
	u32 pid, pgrp;
	s32 signo, code;
};

static_assert(sizeof(struct process_signal) == 16, "no holes");

/*
 * PROCESS_ORPHANED: do the members that the core has leave the group an orphan? PROCESS_IN_GROUP:
 * does it have some, of this session?
 */
struct process_group {
	u32 pgrp, sid;
};

static_assert(sizeof(struct process_group) == 8, "no holes");

/* PROCESS_FILE: the text of a file below /proc/PID, or text that is written to it behind this. */
struct process_file {
	u32 pid;
	u32 store;
	char name[24];
	struct process_who who;
};

static_assert(sizeof(struct process_file) == 104, "no holes");

/* Behind it: @nchildren of struct process_child, one for each. */
struct process_family {
	u32 parent, parent_core; /* 0: none */
	u32 parent_pgrp, parent_sid;
	u32 pgrp, sid;
	u32 moves;
	u32 nchildren;
	u32 stop_report, cont_report;
	u32 subreaper, parent_subreaper;
};

static_assert(sizeof(struct process_family) == 48, "no holes");

#endif
