/*
 * Where the guest of the model's check starts: from PVH (QEMU -kernel) in 32-bit protected mode on
 * core 0, from a start-up IPI in real mode on the others. All go to long mode with the first
 * 16 GiB mapped as they are, by 1 GiB pages, and call core_main(APIC id).
 */
#define PVH_ENTRY	18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define MSR_EFER	0xc0000080
#define MSR_APIC_BASE	0x1b
#define X2APIC_ID	0x802
#define STACK_SIZE	8192

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, PVH_ENTRY
	.asciz	"Xen"
	.long	_start

	.text
	.code32
	.globl	_start
_start:
	cld
	mov	%ebx, boot_info
enter_long:
	mov	%cr4, %eax
	or	$0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	and	$~0x4, %eax
	or	$0x80000002, %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $long_mode

	.code64
long_mode:
	mov	$MSR_APIC_BASE, %ecx
	rdmsr
	or	$0xc00, %eax /* x2APIC */
	wrmsr
	mov	$X2APIC_ID, %ecx
	rdmsr
	mov	%eax, %edi
	mov	%edi, %esp
	inc	%esp
	imul	$STACK_SIZE, %esp
	add	$stacks, %rsp
	xor	%ebp, %ebp
	call	core_main
1:	hlt
	jmp	1b

	/* Copied to START_PAGE. */
	.code16
	.globl	trampoline
trampoline:
	cli
	lgdtl	%cs:(tramp_gdt - trampoline)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x18, $protected
	.balign	8
tramp_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
protected:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	jmp	enter_long

	.data
	.balign	8
gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
	.globl	boot_info, trampoline_size
trampoline_size:
	.long	trampoline_end - trampoline
boot_info:
	.long	0, 0

	.balign	4096
pml4:	.quad	pdpt + 3
	.fill	511, 8, 0
pdpt:	.set	page, 0
	.rept	16
	.quad	(page << 30) + 0x83
	.set	page, page + 1
	.endr
	.fill	496, 8, 0

	.bss
	.balign	4096
stacks:	.skip	STACK_SIZE * 257
	.section .note.GNU-stack, "", @progbits
