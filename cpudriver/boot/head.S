/*
 * Where the loader starts: 32-bit protected mode without paging, in the state that multiboot2
 * (version 2.0, 3.3) and PVH (Xen, docs/misc/pvh.pandoc) have in common. From here to main() in
 * long mode, on page tables that map the first 4 GiB where they are, with the loader's code alone
 * executable and all else alone writable. Interrupts stay off for good.
 */
#include "arch/x86_64/longmode.inc"
#include "entry.h"

#define STACK_BYTES 65536
#define PAGE	    4096
#define TABLES	    4	/* page directories: one GiB each */

/* Bits of a page-table entry: present, writable, accessed, dirty, 2 MiB large. */
#define ENTRY_TABLE 0x23
#define ENTRY_RX    0xa1
#define ENTRY_RW    0xe3
#define ENTRY_HIGH  0x80000000	/* NX, in the upper half */

/*
 * Multiboot2, 3.1: the header. Each tag: type, flags (1: optional), size; aligned to 8.
 */
	.section .multiboot2, "a"
	.balign 8
header:
	.long	0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
request:
	.word	1, 1
	.long	request_end - request
	.long	1, 3, 6, 14, 15	/* command line, modules, memory map, ACPI's root pointers */
request_end:
	.balign 8
	.word	6, 0	/* modules on page boundaries */
	.long	8
	.word	0, 0	/* the end */
	.long	8
header_end:

/* PVH: an ELF note with the 32-bit entry, XEN_ELFNOTE_PHYS32_ENTRY. */
	.section .note.pvh, "a", @note
	.balign 4
	.long	4, 8, 18
	.asciz	"Xen"
	.quad	pvh_entry

	.text
	.code32
	.globl	multiboot2_entry, pvh_entry
pvh_entry:
	movl	$BOOT_PVH, %eax
multiboot2_entry:	/* eax = BOOT_MULTIBOOT2 */
	cli
	cld
	movl	%eax, %esi
	movl	%ebx, %edi
	movl	$stack_top, %esp
	call	check_processor
	call	make_tables
	lgdtl	gdtr
	movl	$SEL_KERNEL_SS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	lldt	%ax
	ENTER_LONG_MODE $boot_root
	ljmpl	$SEL_KERNEL_CS, $long_mode

/* Does not return if the processor has no long mode or no NX (SDM vol. 2A, CPUID). */
check_processor:
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	too_old
	movl	$0x80000001, %eax
	cpuid
	andl	$(1 << 29 | 1 << 20), %edx
	cmpl	$(1 << 29 | 1 << 20), %edx
	jne	too_old
	ret

/* Says so on the serial port, and stops. */
too_old:
	movl	$too_old_text, %esi
1:	lodsb
	testb	%al, %al
	jz	3f
	movb	%al, %bl
	movl	$10000, %ecx	/* a port that is not there is never ready */
2:	movw	$0x3fd, %dx
	inb	%dx, %al
	testb	$0x20, %al
	loopz	2b
	movb	%bl, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	1b
3:	cli
	hlt
	jmp	3b

/* The first 4 GiB in pages of 2 MiB. Destroys EAX, ECX, EDX. */
make_tables:
	movl	$(boot_pdpt + ENTRY_TABLE), boot_root
	movl	$boot_pdpt, %edx
	movl	$(boot_directories + ENTRY_TABLE), %eax
1:	movl	%eax, (%edx)
	addl	$8, %edx
	addl	$PAGE, %eax
	cmpl	$(boot_directories + ENTRY_TABLE + TABLES * PAGE), %eax
	jb	1b
	xorl	%ecx, %ecx
	movl	$ENTRY_RW, %eax
2:	movl	%eax, boot_directories(, %ecx, 8)
	movl	$ENTRY_HIGH, boot_directories + 4(, %ecx, 8)
	addl	$0x200000, %eax
	incl	%ecx
	cmpl	$(TABLES * 512), %ecx
	jb	2b
	movl	$(0x200000 + ENTRY_RX), boot_directories + 8
	movl	$0, boot_directories + 12
	ret

	.code64
long_mode:
	movl	$stack_top, %esp
	xorl	%ebp, %ebp
	movl	%edi, %eax
	movl	%esi, %edi	/* main(protocol, information) */
	movl	%eax, %esi
	pushq	$0
	jmp	main

/*
 * enter_kernel(boot_root, kernel_entry, handoff_va): the first core leaves the loader. Slot 0 of
 * the boot root maps this code, until the CPU driver changes to its own root.
 */
	.globl	enter_kernel
enter_kernel:
	movq	%rdi, %cr3
	movq	%rdx, %rdi
	xorl	%ebp, %ebp
	jmp	*%rsi

	.section .rodata
	.balign 8
gdt:
	START_GDT
gdtr:
	.word	START_GDT_BYTES - 1
	.long	gdt
too_old_text:
	.asciz	"skerry: this processor cannot run Skerry: it has no 64-bit mode, or no NX\r\n"

	.bss
	.balign PAGE
	.globl	boot_root, boot_pdpt
boot_root:
	.skip	PAGE
boot_pdpt:
	.skip	PAGE
boot_directories:
	.skip	TABLES * PAGE
	.skip	STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits
