/*
 * The vDSO as it was built (vdso/), whole pages of it, inside the personality. See vdso.h.
 */
	.section .rodata
	.balign 4096
	.globl vdso_image, vdso_image_bytes
vdso_image:
	.incbin "linux-vdso.so"
	.balign 4096
vdso_image_bytes:
	.quad . - vdso_image

	.section .note.GNU-stack, "", @progbits
