/*
 * Structures and numbers that Linux x86-64 programs pass to system calls, those of time, resources
 * and processes. Signals, memory: signal.h, mman.h. Files: the C library's headers agree.
 *
 * Source: the manual pages, sections 2 and 7.
 */
#ifndef LINUX_ABI_ABI_H
#define LINUX_ABI_ABI_H

#include <skerry/types.h>

/* What a call returns to be done again after a signal; programs never see these. */
#define E_RESTARTSYS    512 /* if the handler has SA_RESTART, or there is none */
#define E_RESTARTNOINTR 513 /* always */
#define E_RESTARTNOHAND 514 /* if no handler runs */
#define E_RESTARTBLOCK  516 /* the same, by restart_syscall */

struct k_timespec {
	s64 sec;
	s64 nsec;
};

struct k_timeval {
	s64 sec;
	s64 usec;
};

struct k_itimerval {
	struct k_timeval interval, value;
};

struct k_itimerspec {
	struct k_timespec interval, value;
};

struct k_rlimit {
	u64 cur, max;
};

#define RLIMIT_CPU        0
#define RLIMIT_FSIZE      1
#define RLIMIT_DATA       2
#define RLIMIT_STACK      3
#define RLIMIT_CORE       4
#define RLIMIT_RSS        5
#define RLIMIT_NPROC      6
#define RLIMIT_NOFILE     7
#define RLIMIT_MEMLOCK    8
#define RLIMIT_AS         9
#define RLIMIT_LOCKS      10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE   12
#define RLIMIT_NICE       13
#define RLIMIT_RTPRIO     14
#define RLIMIT_RTTIME     15
#define RLIMITS           16
#define RLIM_INFINITY     UINT64_MAX

struct k_rusage {
	struct k_timeval utime, stime;
	s64 maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv;
	s64 nsignals, nvcsw, nivcsw;
};

struct k_tms {
	s64 utime, stime, cutime, cstime;
};

struct k_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct k_sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit;
	u32 pad2;
};

static_assert(sizeof(struct k_sysinfo) == 112, "struct sysinfo");

struct k_clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	u64 set_tid, set_tid_size, cgroup;
};

#define CLONE_VM               0x00000100ul
#define CLONE_FS               0x00000200ul
#define CLONE_FILES            0x00000400ul
#define CLONE_SIGHAND          0x00000800ul
#define CLONE_PIDFD            0x00001000ul
#define CLONE_PTRACE           0x00002000ul
#define CLONE_VFORK            0x00004000ul
#define CLONE_PARENT           0x00008000ul
#define CLONE_THREAD           0x00010000ul
#define CLONE_NEWTIME          0x00000080ul
#define CLONE_NEWNS            0x00020000ul
#define CLONE_SYSVSEM          0x00040000ul
#define CLONE_SETTLS           0x00080000ul
#define CLONE_PARENT_SETTID    0x00100000ul
#define CLONE_CHILD_CLEARTID   0x00200000ul
#define CLONE_DETACHED         0x00400000ul
#define CLONE_UNTRACED         0x00800000ul
#define CLONE_CHILD_SETTID     0x01000000ul
#define CLONE_NEWCGROUP        0x02000000ul
#define CLONE_NEWUTS           0x04000000ul
#define CLONE_NEWIPC           0x08000000ul
#define CLONE_NEWUSER          0x10000000ul
#define CLONE_NEWPID           0x20000000ul
#define CLONE_NEWNET           0x40000000ul
#define CLONE_IO               0x80000000ul
#define CLONE_CLEAR_SIGHAND    0x100000000ul
#define CLONE_EMPTY_MNTNS      0x2000000000ul

#define WNOHANG                1u
#define WUNTRACED              2u /* WSTOPPED */
#define WEXITED                4u
#define WCONTINUED             8u
#define WNOWAIT                0x01000000u
#define WNOTHREAD              0x20000000u
#define WALL                   0x40000000u
#define WCLONE                 0x80000000u

#define P_ALL                  0
#define P_PID                  1
#define P_PGID                 2
#define P_PIDFD                3

#define SCHED_OTHER            0
#define SCHED_FIFO             1
#define SCHED_RR               2
#define SCHED_BATCH            3
#define SCHED_IDLE             5
#define SCHED_RESET_ON_FORK    0x40000000

#define CLOCKS_MAX             12
#define CLOCK_REALTIME_COARSE  5
#define CLOCK_MONOTONIC_COARSE 6
#define TIMER_ABSTIME          1

#define READ_IMPLIES_EXEC      0x0400000u /* personality(2) */
#define ADDR_NO_RANDOMIZE      0x0040000u
#define UNAME26                0x0020000u

#define ITIMER_REAL            0
#define ITIMER_VIRTUAL         1
#define ITIMER_PROF            2

#define TICKS_PER_S            100 /* of times(2): USER_HZ */

/* Auxiliary vector (getauxval(3)). */
#define AT_NULL                0
#define AT_PHDR                3
#define AT_PHENT               4
#define AT_PHNUM               5
#define AT_PAGESZ              6
#define AT_BASE                7
#define AT_FLAGS               8
#define AT_ENTRY               9
#define AT_UID                 11
#define AT_EUID                12
#define AT_GID                 13
#define AT_EGID                14
#define AT_PLATFORM            15
#define AT_HWCAP               16
#define AT_CLKTCK              17
#define AT_SECURE              23
#define AT_RANDOM              25
#define AT_HWCAP2              26
#define AT_EXECFN              31
#define AT_SYSINFO_EHDR        33
#define AT_MINSIGSTKSZ         51

#define CAP_LAST_CAP           40u
#define CAP_ALL                ((1ul << (CAP_LAST_CAP + 1)) - 1)
#define CAP_KILL               5
#define CAP_SETGID             6
#define CAP_SETUID             7
#define CAP_SETPCAP            8
#define CAP_SYS_BOOT           22
#define CAP_SYS_NICE           23
#define CAP_SYS_TIME           25
#define CAP_IPC_LOCK           14
#define CAP_SYS_PTRACE         19
#define CAP_WAKE_ALARM         35
#define CAP_CHECKPOINT_RESTORE 40

#endif
