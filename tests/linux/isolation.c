/*
 * A process cannot reach beyond itself: addresses and lengths that are not its own, instructions
 * and registers that are not for programs, memory that vanishes while it is used.
 *
 * Whatever it tries, it gets an error or a signal, as on Linux.
 */
#include "check.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE           4096ul
#define KERNEL         0xffffffff80000000ul
#define NOT_AN_ADDRESS 0x0000800000000000ul
#define STACK_BYTES    65536

/* Where nothing of a process is: below, the last page's end, no address, other halves. */
static const uint64_t foreign[] = {
	0,
	8,
	0x7ffffffff000,
	NOT_AN_ADDRESS,
	0xffff7fffffffffff,
	0xffff800000000000,
	0xffffff0000000000,
	KERNEL,
	KERNEL + 0x10000,
	-PAGE,
	-1ul,
	0x500000000000,
	0x508000000000,
};

#define FOREIGN (sizeof(foreign) / sizeof(foreign[0]))

static int signal_of(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void *new_page(int prot)
{
	return mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* ---- addresses ---- */

static void read_there(void *at)
{
	*(volatile char *)at;
}

static void write_there(void *at)
{
	*(volatile char *)at = 1;
}

static void jump_there(void *at)
{
	((void (*)(void))at)();
}

CASE(foreign_addresses_cannot_be_read_written_or_run)
{
	for (size_t i = 0; i < FOREIGN; i++) {
		void *at = (void *)foreign[i];

		CHECK(signal_of(in_child(read_there, at)) == SIGSEGV);
		CHECK(signal_of(in_child(write_there, at)) == SIGSEGV);
		CHECK(signal_of(in_child(jump_there, at)) == SIGSEGV);
	}
}

/* All of the upper half where a kernel may be: in steps, a signal each. */
static volatile sig_atomic_t faults;

static void step_over(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	faults++;
	uc->uc_mcontext.gregs[REG_RIP] += 3; /* movb (%rax), %al and padding: see probe() */
}

static void probe(uint64_t at)
{
	__asm__ volatile("movb (%%rax), %%al; nop" : "+a"(at) : : "memory");
}

CASE(no_page_of_the_kernel_is_readable)
{
	struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};
	int n = 0;

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	for (uint64_t at = KERNEL; at < KERNEL + (1ul << 24); at += PAGE, n++)
		probe(at);
	for (int bit = 47; bit < 64; bit++, n++)
		probe(-1ul << bit);
	for (int i = 256; i < 512; i++, n++)
		probe(0xffff000000000000ul | (uint64_t)i << 39);
	CHECK(faults == n);
}

CASE(calls_refuse_foreign_addresses)
{
	int fds[2], fd = open("/proc/self/status", O_RDONLY);

	CHECK(pipe(fds) == 0 && fd >= 0);
	for (size_t i = 0; i < FOREIGN; i++) {
		void *at = (void *)foreign[i];
		struct iovec iov = {at, 16};

		CHECK_ERROR(read(fd, at, 16), EFAULT);
		CHECK_ERROR(write(fds[1], at, 16), EFAULT);
		CHECK_ERROR(readv(fd, &iov, 1), EFAULT);
		CHECK_ERROR(writev(fds[1], &iov, 1), EFAULT);
		CHECK_ERROR(readv(fd, at, 1), EFAULT);
		CHECK_ERROR(syscall(SYS_pipe, at), EFAULT);
		CHECK_ERROR(syscall(SYS_uname, at), EFAULT);
		CHECK_ERROR(syscall(SYS_open, at, O_RDONLY), EFAULT);
		CHECK_ERROR(syscall(SYS_newfstatat, AT_FDCWD, "/", at, 0), EFAULT);
		CHECK_ERROR(syscall(SYS_getcwd, at, 100), EFAULT);
		CHECK_ERROR(syscall(SYS_execve, at, NULL, NULL), EFAULT);
		CHECK_ERROR(syscall(SYS_clock_gettime, CLOCK_TAI, at), EFAULT);
		if (at) {
			CHECK_ERROR(syscall(SYS_rt_sigaction, SIGUSR1, at, NULL, 8), EFAULT);
			CHECK_ERROR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, at, NULL, 8), EFAULT);
			CHECK_ERROR(syscall(SYS_sigaltstack, at, NULL), EFAULT);
			CHECK_ERROR(syscall(SYS_execve, "/proc/self/exe", at, NULL), EFAULT);
		}
	}
}

CASE(lengths_that_wrap_around_are_refused)
{
	char *page = new_page(PROT_READ | PROT_WRITE);
	struct iovec many[2] = {{page, (size_t)1 << 62}, {page, (size_t)1 << 63}};
	int fds[2], fd = open("/dev/zero", O_RDONLY);

	CHECK(pipe(fds) == 0 && fd >= 0);
	CHECK_ERROR(syscall(SYS_write, fds[1], NOT_AN_ADDRESS, -1ul), EFAULT);
	CHECK_ERROR(read(fd, (void *)-PAGE, 2 * PAGE), EFAULT);
	CHECK_ERROR(readv(fd, many, 2), EINVAL);
	CHECK_ERROR(syscall(SYS_readv, fd, many, 1025), EINVAL);
	CHECK_ERROR(syscall(SYS_readv, fd, many, -1), EINVAL);
	CHECK_ERROR(munmap(page, -PAGE), EINVAL);
	CHECK_ERROR(munmap((void *)-PAGE, 2 * PAGE), EINVAL);
	CHECK_ERROR(mprotect(page, -PAGE, PROT_READ), ENOMEM);
	CHECK_ERROR(mprotect((void *)-PAGE, PAGE, PROT_READ), ENOMEM);
	CHECK_ERROR(mmap(NULL, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	CHECK_ERROR(mmap((void *)0x7ffffffff000, PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		    ENOMEM);
	CHECK_ERROR(mmap((void *)KERNEL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0),
		    ENOMEM);
	*page = 7;
	CHECK(*page == 7);
}

CASE(mremap_to_where_it_is_is_einval)
{
	char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	CHECK_ERROR(mremap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE),
		    EINVAL);
	CHECK_ERROR(mremap(at + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at),
		    EINVAL);
	CHECK_ERROR(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)KERNEL), EINVAL);
	CHECK_ERROR(mremap((void *)KERNEL, PAGE, PAGE, 0), EFAULT);
	*at = 1;
}

/* ---- memory that changes meanwhile ---- */

static struct {
	char *buffer;
	int out;
} victim;

/* Shares its parent's memory, and takes the buffer away while the parent waits to fill it. */
static int take_away(void *arg)
{
	struct timespec t = {0, 20000000};

	(void)arg;
	nanosleep(&t, NULL);
	munmap(victim.buffer, PAGE);
	return write(victim.out, "data", 4) == 4 ? 0 : 1;
}

CASE(a_buffer_that_vanishes_while_read_waits_is_efault)
{
	char *stack = malloc(STACK_BYTES);
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	victim.buffer = new_page(PROT_READ | PROT_WRITE);
	victim.out = fds[1];
	pid = clone(take_away, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
	CHECK(pid > 0);
	n = read(fds[0], victim.buffer, PAGE);
	CHECK(n == -1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static int write_protect(void *page)
{
	return mprotect(page, PAGE, PROT_READ);
}

static void write_in_spite(void *page)
{
	char *stack = malloc(STACK_BYTES);
	pid_t pid;

	*(volatile char *)page = 1;
	pid = clone(write_protect, stack + STACK_BYTES, CLONE_VM | SIGCHLD, page);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(9);
	*(volatile char *)page = 2;
}

static void unmap_and_read(void *page)
{
	*(volatile char *)page = 1;
	munmap(page, PAGE);
	*(volatile char *)page;
}

static void move_and_read(void *page)
{
	*(volatile char *)page = 1;
	if (mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, new_page(PROT_NONE)) ==
	    MAP_FAILED)
		_exit(9);
	*(volatile char *)page;
}

CASE(what_was_unmapped_moved_or_protected_is_so_at_once)
{
	CHECK(signal_of(in_child(write_in_spite, new_page(PROT_READ | PROT_WRITE))) == SIGSEGV);
	CHECK(signal_of(in_child(unmap_and_read, new_page(PROT_READ | PROT_WRITE))) == SIGSEGV);
	CHECK(signal_of(in_child(move_and_read, new_page(PROT_READ | PROT_WRITE))) == SIGSEGV);
}

/* ---- what others left ---- */

static void leave_traces(void *arg)
{
	size_t bytes = *(size_t *)arg;
	uint64_t *all =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < bytes / 8; i++)
		all[i] = 0x5ec2e75ec2e75ec2;
}

CASE(fresh_memory_holds_zeros)
{
	size_t bytes = 8 << 20;
	uint64_t *all, *heap;

	CHECK(in_child(leave_traces, &bytes) == 0);
	all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	heap = sbrk(1 << 20);
	CHECK(all != MAP_FAILED && heap != (void *)-1);
	for (size_t i = 0; i < bytes / 8; i += 512)
		all[i + 511] = all[i]; /* the first touch of a page reads, then writes */
	for (size_t i = 0; i < bytes / 8; i++)
		CHECK(all[i] == 0);
	for (size_t i = 0; i < (1 << 20) / 8; i++)
		CHECK(heap[i] == 0);
}

CASE(vector_registers_are_not_shared)
{
	uint64_t mine[2] = {0x1234567890abcdef, 0xfedcba0987654321}, after[2];
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 50; i++) {
			__asm__ volatile("pcmpeqd %%xmm7, %%xmm7" : : : "xmm7");
			sched_yield();
		}
		_exit(0);
	}
	for (int i = 0; i < 50; i++) {
		__asm__ volatile("movdqu %1, %%xmm7\n\t"
				 "mov $24, %%eax\n\t" /* sched_yield */
				 "syscall\n\t"
				 "movdqu %%xmm7, %0"
				 : "=m"(after)
				 : "m"(mine)
				 : "rax", "rcx", "r11", "xmm7", "memory");
		CHECK(memcmp(mine, after, sizeof(mine)) == 0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* ---- instructions ---- */

#define INSTRUCTION(name, text)                                                                    \
	static void name(void *arg)                                                                \
	{                                                                                          \
		(void)arg;                                                                         \
		__asm__ volatile(text : : : "rax", "rcx", "rdx", "memory");                        \
	}

INSTRUCTION(run_hlt, "hlt")
INSTRUCTION(run_cli, "cli")
INSTRUCTION(run_sti, "sti")
INSTRUCTION(run_in, "in $0x60, %%al")
INSTRUCTION(run_out, "xor %%eax, %%eax; mov $0xf4, %%dx; out %%al, %%dx")
INSTRUCTION(run_rdmsr, "mov $0xc0000080, %%ecx; rdmsr")
INSTRUCTION(run_wrmsr, "mov $0xc0000082, %%ecx; wrmsr")
INSTRUCTION(run_read_cr0, "mov %%cr0, %%rax")
INSTRUCTION(run_write_cr3, "xor %%eax, %%eax; mov %%rax, %%cr3")
INSTRUCTION(run_write_dr7, "xor %%eax, %%eax; mov %%rax, %%dr7")
INSTRUCTION(run_lgdt, "lgdt (%%rsp)")
INSTRUCTION(run_lidt, "lidt (%%rsp)")
INSTRUCTION(run_ltr, "mov $0x40, %%eax; ltr %%ax")
INSTRUCTION(run_clts, "clts")
INSTRUCTION(run_invlpg, "invlpg (%%rsp)")
INSTRUCTION(run_swapgs, "swapgs")
INSTRUCTION(run_sysret, "mov %%rsp, %%rcx; sysretq")
INSTRUCTION(run_int, "int $0x41")
INSTRUCTION(run_int_pf, "int $14")
INSTRUCTION(run_xsetbv, "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $1, %%eax; xsetbv")

CASE(privileged_instructions_are_sigsegv)
{
	static void (*const all[])(void *) = {
		run_hlt,    run_cli,    run_sti,      run_in,        run_out,
		run_rdmsr,  run_wrmsr,  run_read_cr0, run_write_cr3, run_write_dr7,
		run_lgdt,   run_lidt,   run_ltr,      run_clts,      run_invlpg,
		run_swapgs, run_sysret, run_int,      run_int_pf,    run_xsetbv,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int status = in_child(all[i], NULL);

		errno = (int)i;
		if (signal_of(status) != SIGSEGV)
			case_failed(__FILE__, __LINE__, "not SIGSEGV", (int)i);
	}
}

INSTRUCTION(run_int80, "mov $20, %%eax; int $0x80")
INSTRUCTION(run_sysenter, "sysenter")
INSTRUCTION(run_vmcall, "vmcall")
INSTRUCTION(run_far, "pushq $0x23; leaq 1f(%%rip), %%rax; push %%rax; lretq; 1: nop")
INSTRUCTION(run_kernel_cs, "pushq $0x10; leaq 1f(%%rip), %%rax; push %%rax; lretq; 1: nop")
INSTRUCTION(run_kernel_ss, "mov $0x18, %%eax; mov %%ax, %%ss")

/* What comes of them differs; they harm nobody but the process. */
CASE(ways_of_old_into_the_kernel_harm_nobody)
{
	CHECK(in_child(run_int80, NULL) >= 0);
	CHECK(in_child(run_sysenter, NULL) >= 0);
	CHECK(in_child(run_vmcall, NULL) >= 0);
	CHECK(in_child(run_far, NULL) >= 0);
	CHECK(signal_of(in_child(run_kernel_cs, NULL)) == SIGSEGV);
	CHECK(signal_of(in_child(run_kernel_ss, NULL)) == SIGSEGV);
	CHECK(getpid() > 0);
}

static void store_gdt(void *arg)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt = {0, 0};

	(void)arg;
	__asm__ volatile("sgdt %0" : "=m"(gdt));
	/* A made-up address, as Linux gives: nothing is there. */
	_exit(gdt.base == 0xfffffffffffe0000 ? 0 : 1);
}

CASE(where_the_descriptor_table_lies_is_not_told)
{
	int status = in_child(store_gdt, NULL);

	CHECK(status == 0 || signal_of(status) == SIGSEGV);
}

/* ---- registers ---- */

CASE(bases_of_segments_must_be_addresses)
{
	CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_SET_GS, NOT_AN_ADDRESS), EPERM);
	CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_SET_GS, KERNEL), EPERM);
	CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_SET_FS, -1ul), EPERM);
	CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_GET_FS, KERNEL), EFAULT);
}

static void write_gs_base(void *arg)
{
	__asm__ volatile("wrgsbase %0" : : "r"(arg));
	sched_yield();
}

CASE(wrgsbase_of_any_value_harms_nobody)
{
	CHECK(signal_of(in_child(write_gs_base, (void *)NOT_AN_ADDRESS)) == SIGSEGV);
	CHECK(in_child(write_gs_base, (void *)KERNEL) == 0);
	CHECK(in_child(write_gs_base, (void *)-8ul) == 0);
}

static void stack_nowhere(void *arg)
{
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "mov $39, %%eax\n\t"
			 "syscall\n\t"
			 "push %%rax"
			 :
			 : "r"(arg)
			 : "rax", "rcx", "r11", "memory");
}

CASE(a_stack_that_is_nowhere_harms_nobody)
{
	for (size_t i = 0; i < FOREIGN; i++) {
		int sig = signal_of(in_child(stack_nowhere, (void *)foreign[i]));

		CHECK(sig == SIGSEGV || sig == SIGBUS);
	}
}

/* ---- what a handler writes into its frame ---- */

static struct {
	int reg; /* REG_*; -1: the address of the vector state */
	uint64_t value;
} damage;

static void damage_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	if (damage.reg < 0)
		uc->uc_mcontext.fpregs = (void *)damage.value;
	else
		uc->uc_mcontext.gregs[damage.reg] = (greg_t)damage.value;
}

static void return_damaged(void *arg)
{
	struct sigaction action = {.sa_sigaction = damage_frame, .sa_flags = SA_SIGINFO};

	(void)arg;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static int status_of_damage(int reg, uint64_t value)
{
	damage.reg = reg;
	damage.value = value;
	return in_child(return_damaged, NULL);
}

CASE(a_frame_with_foreign_addresses_is_sigsegv)
{
	for (size_t i = 0; i < FOREIGN; i++) {
		CHECK(signal_of(status_of_damage(REG_RIP, foreign[i])) == SIGSEGV);
		CHECK(signal_of(status_of_damage(REG_RSP, foreign[i])) != 0);
		if (foreign[i])
			CHECK(signal_of(status_of_damage(-1, foreign[i])) == SIGSEGV);
	}
}

CASE(a_frame_cannot_give_kernel_segments)
{
	static const uint16_t code[] = {0, 0x08, 0x10, 0x18, 0x28, 0x40, 0xffff};

	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		int status = status_of_damage(REG_CSGSFS, code[i] | 0x2bul << 48);

		/* Linux makes it ring 3 or SIGSEGV. */
		CHECK(status == 0 || signal_of(status) == SIGSEGV || signal_of(status) == SIGILL ||
		      signal_of(status) == SIGBUS);
	}
}

static void return_with_flags_and_cli(void *arg)
{
	return_damaged(arg);
	__asm__ volatile("cli");
}

CASE(a_frame_cannot_give_privileged_flags)
{
	damage.reg = REG_EFL;
	damage.value = 0x3202; /* IOPL 3 */
	CHECK(signal_of(in_child(return_with_flags_and_cli, NULL)) == SIGSEGV);
	CHECK(status_of_damage(REG_EFL, 0x4202) == 0);   /* NT */
	CHECK(status_of_damage(REG_EFL, 0x20202) == 0);  /* VM */
	CHECK(status_of_damage(REG_EFL, 0x2) == 0);      /* no IF */
	CHECK(status_of_damage(REG_EFL, 0x180202) == 0); /* VIF, VIP */
}

static void bad_vector_state(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	memset(uc->uc_mcontext.fpregs, 0xff, sizeof(*uc->uc_mcontext.fpregs));
}

static void return_bad_vectors(void *arg)
{
	struct sigaction action = {.sa_sigaction = bad_vector_state, .sa_flags = SA_SIGINFO};

	(void)arg;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

CASE(a_frame_with_bad_vector_state_harms_nobody)
{
	CHECK(in_child(return_bad_vectors, NULL) >= 0);
	CHECK(getpid() > 0);
}

static void signal_on(void *stack)
{
	struct sigaction action = {.sa_handler = (void (*)(int))exit, .sa_flags = SA_ONSTACK};
	stack_t alt = {.ss_sp = stack, .ss_size = STACK_BYTES};

	sigaction(SIGUSR1, &action, NULL);
	if (sigaltstack(&alt, NULL))
		_exit(9);
	raise(SIGUSR1);
}

CASE(a_signal_stack_that_is_nowhere_is_sigsegv)
{
	CHECK(signal_of(in_child(signal_on, (void *)0x7fffffff0000)) == SIGSEGV);
	CHECK(signal_of(in_child(signal_on, (void *)NOT_AN_ADDRESS)) == SIGSEGV);
	CHECK(signal_of(in_child(signal_on, (void *)(KERNEL + 0x1000))) == SIGSEGV);
	CHECK(signal_of(in_child(signal_on, new_page(PROT_NONE))) == SIGSEGV);
}

/* ---- single steps ---- */

static volatile sig_atomic_t steps;

static void count_step(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	if (info->si_code == TRAP_TRACE)
		steps++;
}

CASE(single_steps_go_through_calls)
{
	struct sigaction action = {.sa_sigaction = count_step, .sa_flags = SA_SIGINFO};
	long pid;

	CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
	for (int i = 0; i < 20; i++) {
		steps = 0;
		__asm__ volatile("pushfq\n\t"
				 "orq $0x100, (%%rsp)\n\t"
				 "popfq\n\t"
				 "mov $39, %%eax\n\t" /* getpid */
				 "syscall\n\t"
				 "nop\n\t"
				 "pushfq\n\t"
				 "andq $~0x100, (%%rsp)\n\t"
				 "popfq\n\t"
				 : "=a"(pid)
				 :
				 : "rcx", "r11", "memory", "cc");
		CHECK(pid == getpid());
		CHECK(steps >= 5 && steps <= 7);
	}
}
