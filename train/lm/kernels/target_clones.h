// One source for several instruction sets: a function marked CULTIVAR_CLONES is compiled for each of them, and the
// dynamic loader binds the one that the CPU has. Its loops are written so that the compiler vectorises them.
#pragma once

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__)
#define CULTIVAR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CULTIVAR_CLONES
#endif

// Helpers are part of whichever clone uses them.
#define CULTIVAR_INLINE inline __attribute__((always_inline))

namespace cultivar {

// The clone that this CPU gets: "x86-64-v4" (AVX-512), "x86-64-v3" (AVX2 and FMA), or "default".
const char* kernel_instruction_set();

}  // namespace cultivar
