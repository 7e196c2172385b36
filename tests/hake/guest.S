/*
 * A guest of 100 lines with which hake's running of guests is tested: it prints its command
 * line on the serial port, with a new line for each ";", and ends with the code that is its
 * last digit, or, after a "r", by a reset, or, after a "h", not at all.
 *
 * Started by PVH (QEMU -kernel) or multiboot2 (GRUB), in 32-bit protected mode.
 */
#define COM1		0x3f8
#define EXIT_PORT	0xf4
#define MB2_MAGIC	0xe85250d6
#define MB2_LOADED	0x36d76289
#define PVH_CMDLINE	24 /* offset in hvm_start_info (Xen, public/arch-x86/hvm/start_info.h) */
#define PVH_ENTRY	18 /* XEN_ELFNOTE_PHYS32_ENTRY */

	.section .multiboot, "a"
	.balign	8
header:	.long	MB2_MAGIC, 0, header_end - header, -(MB2_MAGIC + header_end - header)
	.short	0, 0
	.long	8
header_end:

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, PVH_ENTRY
	.asciz	"Xen"
	.long	_start

	.text
	.code32
	.globl	_start
_start:
	cmp	$MB2_LOADED, %eax
	je	multiboot
	mov	PVH_CMDLINE(%ebx), %esi
	jmp	print

	/* Multiboot2, 3.4: tags of (type, size), each 8-byte aligned; type 1 is the command line. */
multiboot:
	lea	8(%ebx), %esi
1:	cmpl	$1, (%esi)
	je	2f
	mov	4(%esi), %ecx
	lea	7(%esi, %ecx), %esi
	and	$~7, %esi
	jmp	1b
2:	add	$8, %esi

print:
	xor	%ecx, %ecx	/* the last character but one, and the last */
	mov	$COM1, %edx
3:	lodsb
	test	%al, %al
	jz	end
	mov	%al, %cl
	cmp	$';', %al
	jne	4f
	mov	$'\r', %al
	out	%al, %dx
	mov	$'\n', %al
4:	out	%al, %dx
	jmp	3b

end:
	mov	$'\n', %al
	out	%al, %dx
	cmp	$'h', %cl
	je	halt
	cmp	$'r', %cl
	je	reset
	lea	-'0'(%ecx), %eax
	mov	$EXIT_PORT, %edx
	out	%al, %dx
halt:	cli
	hlt
	jmp	halt

	/* An exception without a table to handle it. */
reset:	lidt	no_idt
	ud2
no_idt:	.short	0
	.long	0

	.section .note.GNU-stack, ""
