/*
 * Signals as Linux x86-64 has them: numbers, structures, the frame on the stack of a handler.
 *
 * Source: signal(7), sigaction(2), sigaltstack(2); AMD64 supplement; the layout is the ABI's.
 */
#ifndef LINUX_ABI_SIGNAL_H
#define LINUX_ABI_SIGNAL_H

#include <skerry/types.h>

#define SIGNALS           64u

#define SIGHUP            1
#define SIGINT            2
#define SIGQUIT           3
#define SIGILL            4
#define SIGTRAP           5
#define SIGABRT           6
#define SIGBUS            7
#define SIGFPE            8
#define SIGKILL           9
#define SIGUSR1           10
#define SIGSEGV           11
#define SIGUSR2           12
#define SIGPIPE           13
#define SIGALRM           14
#define SIGTERM           15
#define SIGSTKFLT         16
#define SIGCHLD           17
#define SIGCONT           18
#define SIGSTOP           19
#define SIGTSTP           20
#define SIGTTIN           21
#define SIGTTOU           22
#define SIGURG            23
#define SIGXCPU           24
#define SIGXFSZ           25
#define SIGVTALRM         26
#define SIGPROF           27
#define SIGWINCH          28
#define SIGIO             29
#define SIGPWR            30
#define SIGSYS            31
#define SIGRTMIN          32

#define SIG_MASK(sig)     (1ul << ((sig)-1))
#define SIG_UNBLOCKABLE   (SIG_MASK(SIGKILL) | SIG_MASK(SIGSTOP))

#define SIG_DFL           0ul
#define SIG_IGN           1ul

#define SIG_BLOCK         0
#define SIG_UNBLOCK       1
#define SIG_SETMASK       2

#define SA_NOCLDSTOP      0x00000001ul
#define SA_NOCLDWAIT      0x00000002ul
#define SA_SIGINFO        0x00000004ul
#define SA_UNSUPPORTED    0x00000400ul
#define SA_EXPOSE_TAGBITS 0x00000800ul
#define SA_RESTORER       0x04000000ul
#define SA_ONSTACK        0x08000000ul
#define SA_RESTART        0x10000000ul
#define SA_NODEFER        0x40000000ul
#define SA_RESETHAND      0x80000000ul
#define SA_KNOWN                                                                                   \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK | \
	 SA_RESTART | SA_NODEFER | SA_RESETHAND)

#define SS_ONSTACK    1u
#define SS_DISABLE    2u
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ   2048u

/* si_code */
#define SI_USER       0
#define SI_KERNEL     0x80
#define SI_QUEUE      (-1)
#define SI_TIMER      (-2)
#define SI_SIGIO      (-5)
#define SI_TKILL      (-6)
#define ILL_ILLOPN    2
#define FPE_INTDIV    1
#define FPE_FLTDIV    3
#define FPE_FLTOVF    4
#define FPE_FLTUND    5
#define FPE_FLTRES    6
#define FPE_FLTINV    7
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define TRAP_BRKPT    1
#define TRAP_TRACE    2
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

struct k_sigaction {
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
};

struct k_siginfo {
	s32 signo, error, code, pad;
	union {
		struct {
			s32 pid;
			u32 uid;
			u64 value;
		} user; /* kill, sigqueue */
		struct {
			s32 pid;
			u32 uid;
			s32 status;
			s32 pad;
			s64 utime, stime; /* clock ticks */
		} child;
		struct {
			s32 id;
			s32 overrun;
			u64 value;
		} timer;
		struct {
			u64 addr;
		} fault;
		struct {
			s64 band;
			s32 fd;
		} poll;
		u8 size[112];
	};
};

static_assert(sizeof(struct k_siginfo) == 128, "siginfo_t");

struct k_stack {
	u64 sp;
	u32 flags;
	u32 pad;
	u64 size;
};

struct k_sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate;
	u64 reserved[8];
};

static_assert(sizeof(struct k_sigcontext) == 256, "struct sigcontext");

#define UC_FP_XSTATE         1ul
#define UC_SIGCONTEXT_SS     2ul
#define UC_STRICT_RESTORE_SS 4ul

struct k_ucontext {
	u64 flags;
	u64 link;
	struct k_stack stack;
	struct k_sigcontext context;
	u64 sigmask;
};

struct k_sigframe {
	u64 return_address;
	struct k_ucontext uc;
	struct k_siginfo info;
};

static_assert(sizeof(struct k_sigframe) == 440, "struct rt_sigframe");

/* In bytes 464 to 511 of the saved extended state. */
#define FP_SW_OFFSET     464u
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u

struct k_fp_sw {
	u32 magic1;
	u32 extended_size;
	u64 xfeatures;
	u32 xstate_size;
	u32 padding[7];
};

static_assert(sizeof(struct k_fp_sw) == 48, "struct _fpx_sw_bytes");

#endif
