# Thorax, for GNU make: `make help` says what there is to make.

CC ?= cc
# The thread sanitizer needs to be told of OpenMP's barriers: clang's runtime does (libarcher), gcc's does not.
ifeq ($(SAN)$(origin CC),threaddefault)
  CC := $(or $(shell command -v clang),cc)
endif
PREFIX ?= /usr/local
# One short line a file, or with V=1 the whole command.
Q := $(if $(filter-out 0,$(V)),,@)
saying = $(if $(Q),$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-5s %s\n' '$(1)' '$(2)'))
WARN := -Wall -Wextra -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla
OPT ?= -O2
B ?= build

# What the compiler can do is found by trying: threads (OpenMP), dependency files, warnings.
try = $(shell t=$$(mktemp -d) && printf 'int main(void){return 0;}' >$$t/a.c && \
        $(CC) -std=c11 -Werror $(1) -o $$t/a $$t/a.c >/dev/null 2>&1 && echo $(1); rm -rf $$t)
HASH := \#
single = $(shell t=$$(mktemp -d) && printf '$(HASH)include <float.h>\n_Static_assert(FLT_EVAL_METHOD == 0, "");' >$$t/a.c && \
           $(CC) -std=c11 $(1) -c -o $$t/a.o $$t/a.c >/dev/null 2>&1 && echo yes; rm -rf $$t)
IS_TCC := $(findstring tcc,$(shell $(CC) -v 2>&1))
ifneq ($(IS_TCC),)
  FLAGS := -std=c11 $(OPT)
else
  DEPS := $(call try,-MMD -MP)
  # Floats are computed as floats: gcc for s390x takes double for them under -std=c11 unless it is told.
  ifeq ($(call single),)
    FLOATS := $(if $(call single,-fexcess-precision=fast),-fexcess-precision=fast)
  endif
  FLAGS := -std=c11 $(OPT) -ffp-contract=off $(FLOATS) $(DEPS) $(call try,$(WARN))
  ifneq ($(OMP),0)
    THREADS := $(call try,-fopenmp)
  endif
endif
ifneq ($(SAN),)
  B := build/$(SAN)
  FLAGS += -g -fsanitize=$(SAN) -fno-omit-frame-pointer $(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=all)
  # Sixteen lanes in an array, each access checked: optimising that takes gcc long; all kernels, if each is checked twice.
  SLOW := $(if $(findstring undefined,$(SAN)),$(wildcard core/kernels_*.c),core/kernels_portable.c)
  SLOW := $(if $(findstring address,$(SAN)),$(SLOW:%.c=$(B)/%.o))
endif
CFLAGS_ALL := $(FLAGS) $(THREADS) $(CFLAGS) $(EXTRA)
LIBS := -lm

FLOORS := core layers nets optim io
LIB_SRC := $(foreach f,$(FLOORS),$(wildcard $(f)/*.c))
BENCH_SRC := $(wildcard bench/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
BENCH_OBJ := $(filter-out $(B)/bench/main.o,$(BENCH_SRC:%.c=$(B)/%.o))
CHECKERS := golden pixels stats weights
TOOLS := elementary_all coverage_intervals
TESTS := $(filter-out $(CHECKERS) $(TOOLS),$(basename $(notdir $(wildcard test/*.c))))

.PHONY: again all help test study install uninstall clean matrix fuzz coverage check-symbols lint fmt fmt-check found flags
all: found thorax libthorax.a

define HELP
make            ./thorax and libthorax.a
make test       builds, runs all tests; the last line is `N passed, N failed`
make study      the study on the radiographs that come with the source
make install    program, library, headers, manual, sample in PREFIX ($(PREFIX))
make uninstall  removes what install put there
make matrix     equal bits over compilers, instruction sets, threads, machines
make fuzz       damaged files for the readers, FUZZ_SECONDS (20) each; clang
make coverage   branches that the tests take, by file; needs gcov
make clean      removes what was built

CC=cc OPT=-O2   the compiler, optimisation      OMP=0   one thread, no OpenMP
PREFIX= DESTDIR=  where to install              V=1     whole commands
SAN=            sanitizer: address, undefined, thread or address,undefined
PROGRAMS=       for make test: these of its programs alone
endef
export HELP
help:
	@echo "$$HELP"

# The flags of one cc line over whole floors, for scripts.
flags:
	@echo '$(filter-out -W% -MMD -MP,$(FLAGS) $(THREADS))'

found:
	@echo "$(CC): $(if $(THREADS),threads with OpenMP,one thread (no OpenMP))$(SAN:%=, sanitizer %)"

thorax: $(B)/thorax
	$(Q)cp $(B)/thorax $@
libthorax.a: $(B)/libthorax.a
	$(Q)cp $(B)/libthorax.a $@
$(B)/thorax: $(B)/bench/main.o $(BENCH_OBJ) $(B)/libthorax.a
	$(call saying,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)
$(B)/libthorax.a: $(LIB_OBJ)
	$(call saying,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/%.o: %.c $(B)/flags
	$(call saying,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(OPT_LAST) -c -o $@ $<

$(SLOW): OPT_LAST := -O1

# Compiler and flags: what others made is made again. Where nothing is known of it, what is there counts as made with these.
$(B)/flags: again
	@mkdir -p $(B)
	@new='$(CC) $(filter-out -W%,$(CFLAGS_ALL))'; if [ ! -f $@ ]; then echo "$$new" >$@; touch -t 200001010000 $@; \
	  elif [ "$$(cat $@)" != "$$new" ]; then echo "$$new" >$@; fi

# Tests are programs; bench without main() is linked so that its parts can be tested too.
$(B)/test/%: test/%.c test/test.h $(B)/flags $(BENCH_OBJ) $(B)/libthorax.a
	$(call saying,TEST,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -I. -o $@ $< $(BENCH_OBJ) $(B)/libthorax.a $(LIBS)
$(CHECKERS:%=$(B)/%): $(B)/%: $(B)/test/%
	$(Q)cp $< $@

test: found $(if $(PROGRAMS),,$(B)/thorax $(CHECKERS:%=$(B)/%)) $(patsubst %,$(B)/test/%,$(or $(PROGRAMS),$(TESTS)))
	@PROGRAMS="$(PROGRAMS)" CC="$(CC)" README_FLAGS="$(filter-out -MMD -MP,$(CFLAGS_ALL))" sh test/run.sh $(B) $(or $(PROGRAMS),$(TESTS))

study: thorax
	$(Q)./thorax study --out study

matrix:
	@sh test/matrix.sh
fuzz:
	@sh test/fuzz.sh
coverage:
	@sh test/coverage.sh

# Only tables leave the objects that are compiled for one instruction set.
check-symbols: $(B)/libthorax.a
	@sh test/symbols.sh $(B)

lint: $(B)/bench/main.o $(BENCH_OBJ) $(LIB_OBJ)
	@sh test/lint.sh $(B)
fmt:
	clang-format -i $(wildcard */*.c */*.h core/*/*.h test/examples/*.[ch])
fmt-check:
	clang-format --dry-run -Werror $(wildcard */*.c */*.h core/*/*.h test/examples/*.[ch])

# A shared library needs position-independent objects and shows only tx_ symbols.
$(B)/pic/%.o: %.c $(B)/flags
	$(call saying,CC,$< (shared))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(OPT_LAST) -fPIC -c -o $@ $<
$(B)/libthorax.so.0: $(LIB_SRC:%.c=$(B)/pic/%.o)
	$(call saying,LINK,$@)
	@printf '{ global: tx_*; local: *; };\n' >$(B)/exports
	$(Q)$(CC) $(CFLAGS_ALL) -shared -Wl,-soname,libthorax.so.0 -Wl,--version-script=$(B)/exports -o $@ $^ $(LIBS)

install: found thorax libthorax.a $(B)/libthorax.so.0
	@sh test/install.sh install "$(DESTDIR)" "$(PREFIX)" "$(B)" "$(THREADS)"
uninstall:
	@sh test/install.sh uninstall "$(DESTDIR)" "$(PREFIX)"

clean:
	rm -rf build thorax libthorax.a

-include $(wildcard $(B)/*/*.d $(B)/pic/*/*.d)
