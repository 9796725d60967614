/* shared.h - words of the process that several threads may read and write at once. Private to core.
 *
 * Atomic where there can be threads at all: tcc has neither atomic operations nor OpenMP. */
#ifndef THORAX_SHARED_H
#define THORAX_SHARED_H

#if defined(__GNUC__) && !defined(__TINYC__)
#define shared_load(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define shared_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
/* Adds and returns what was there before. */
#define shared_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
/* Stores v if *p is still *old; else *old becomes what is there. */
#define shared_replace(p, old, v) __atomic_compare_exchange_n(p, old, v, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#else
#define shared_load(p) (*(p))
#define shared_store(p, v) ((void)(*(p) = (v)))
#define shared_add(p, v) ((*(p) += (v)) - (v))
#define shared_replace(p, old, v) (*(p) == *(old) ? (*(p) = (v), 1) : (*(old) = *(p), 0))
#endif

#endif
