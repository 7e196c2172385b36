/*
 * The end of a core: a report on the serial port, whoever drives it, and silence. The other cores
 * notice by themselves.
 */
#include "arch/x86_64/cpu.h"
#include "domain.h"
#include "kernel.h"
#include "log.h"

#define DEBUG_EXIT 0xf4 /* QEMU's isa-debug-exit, if the command line says it is there */
#define PANIC_CODE 101

/* The word @option among those of the command line before "--". */
static bool option_is_set(const char *option)
{
	u64 len = strlen(option);

	for (const char *p = boot.cmdline; *p; p++) {
		bool start = p == boot.cmdline || p[-1] == ' ';

		if (start && strncmp(p, "-- ", 3) == 0)
			return false;
		if (start && strncmp(p, option, len) == 0 && (p[len] == ' ' || !p[len]))
			return true;
	}
	return false;
}

static void print_frames(u64 rip, u64 rbp)
{
	log_printf("  at ");
	symbol_print(rip);
	/* Frames of the CPU driver lie on its one stack, ascending. */
	for (u32 i = 0; i < 24 && rbp >= (u64)_data && rbp < (u64)_end - 16 && rbp % 8 == 0; i++) {
		const u64 *frame = (const u64 *)rbp;

		if (!frame[1])
			break;
		log_printf("  by ");
		symbol_print(frame[1]);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

static void print_registers(const struct regs *r)
{
	log_printf("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx,
		   r->rdx);
	log_printf("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", r->rsi, r->rdi, r->rbp,
		   r->rsp);
	log_printf("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", r->r8, r->r9, r->r10, r->r11);
	log_printf("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", r->r12, r->r13, r->r14,
		   r->r15);
	log_printf("  rip %016lx rflags %lx\n", r->rip, r->rflags);
}

static _Noreturn void stop(void)
{
	log_printf("core %u stops here; the others go on\n", boot.core);
	if (option_is_set("panic=exit"))
		outl(DEBUG_EXIT, PANIC_CODE);
	cpu_stop();
}

static void begin(const char *format, va_list args)
{
	log_direct(true);
	log_printf("\nskerry: panic on core %u (APIC id %u): ", boot.core, boot.apic_id);
	log_vprintf(format, args);
	log_printf("\n  domain %s\n", current ? current->info.name : "none");
}

_Noreturn void panic(const char *format, ...)
{
	u64 rbp = (u64)__builtin_frame_address(0);
	va_list args;

	va_start(args, format);
	begin(format, args);
	va_end(args);
	print_frames((u64)__builtin_return_address(0), rbp);
	stop();
}

_Noreturn void panic_regs(const struct regs *regs, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	begin(format, args);
	va_end(args);
	print_registers(regs);
	if (regs->rip >= KERNEL_BASE)
		print_frames(regs->rip, regs->rbp);
	else if (current)
		domain_backtrace(current->image_offset, regs->rip, regs->rbp);
	stop();
}
