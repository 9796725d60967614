# Thorax. `make` builds ./thorax and libthorax.a, `make test` runs all tests, `make study` the main job.
# `make fuzz` feeds the readers with damaged files.
# CC=..., OMP=0 (no threads), SAN=address|undefined|thread (or address,undefined), PREFIX=..., DESTDIR=...

CC ?= cc
# The thread sanitizer needs to be told of OpenMP's barriers: clang's runtime does (libarcher), gcc's does not.
ifeq ($(SAN)$(origin CC),threaddefault)
  CC := $(or $(shell command -v clang),cc)
endif
PREFIX ?= /usr/local
VERSION := 0.1.0
WARN := -Wall -Wextra -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla
OPT ?= -O2
B ?= build

# What the compiler can do is found by trying: threads (OpenMP), dependency files, warnings.
try = $(shell t=$$(mktemp -d) && printf 'int main(void){return 0;}' >$$t/a.c && \
        $(CC) -std=c11 -Werror $(1) -o $$t/a $$t/a.c >/dev/null 2>&1 && echo $(1); rm -rf $$t)
IS_TCC := $(findstring tcc,$(shell $(CC) -v 2>&1))
ifneq ($(IS_TCC),)
  FLAGS := -std=c11 $(OPT)
else
  DEPS := $(call try,-MMD -MP)
  FLAGS := -std=c11 $(OPT) -ffp-contract=off $(DEPS) $(call try,$(WARN))
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
CHECKERS := golden pixels stats
TOOLS := elementary_all
TESTS := $(filter-out $(CHECKERS) $(TOOLS),$(basename $(notdir $(wildcard test/*.c))))

.PHONY: all test study install clean matrix fuzz check-symbols lint fmt fmt-check found
all: found thorax libthorax.a

found:
	@echo "$(CC): $(if $(THREADS),threads with OpenMP,one thread (no OpenMP))$(SAN:%=, sanitizer %)"

thorax: $(B)/thorax
	cp $(B)/thorax $@
libthorax.a: $(B)/libthorax.a
	cp $(B)/libthorax.a $@
$(B)/thorax: $(B)/bench/main.o $(BENCH_OBJ) $(B)/libthorax.a
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)
$(B)/libthorax.a: $(LIB_OBJ)
	rm -f $@ && ar rcs $@ $^
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(OPT_LAST) -c -o $@ $<

$(SLOW): OPT_LAST := -O1

# Tests are programs; bench without main() is linked so that its parts can be tested too.
$(B)/test/%: test/%.c test/test.h $(BENCH_OBJ) $(B)/libthorax.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -I. -o $@ $< $(BENCH_OBJ) $(B)/libthorax.a $(LIBS)
$(CHECKERS:%=$(B)/%): $(B)/%: $(B)/test/%
	cp $< $@

test: found $(B)/thorax $(TESTS:%=$(B)/test/%) $(CHECKERS:%=$(B)/%)
	@CC="$(CC)" README_FLAGS="$(filter-out -MMD -MP,$(CFLAGS_ALL))" sh test/run.sh $(B) $(TESTS)

study: thorax
	./thorax study --out study

matrix:
	@sh test/matrix.sh
fuzz:
	@sh test/fuzz.sh

# Only tables leave the objects that are compiled for one instruction set.
check-symbols: $(B)/libthorax.a
	@sh test/symbols.sh $(B)

lint:
	@sh test/lint.sh
fmt:
	clang-format -i $(wildcard */*.c */*.h)
fmt-check:
	clang-format --dry-run -Werror $(wildcard */*.c */*.h)

# A shared library needs position-independent objects and shows only tx_ symbols.
$(B)/libthorax.so.0: $(LIB_SRC)
	@mkdir -p $(B)
	printf '{ global: tx_*; local: *; };\n' >$(B)/exports
	$(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -fPIC -shared -Wl,-soname,libthorax.so.0 \
	  -Wl,--version-script=$(B)/exports -o $@ $(LIB_SRC) $(LIBS)

install: thorax libthorax.a $(B)/libthorax.so.0
	sh test/install.sh "$(DESTDIR)" "$(PREFIX)" "$(VERSION)" "$(B)" "$(THREADS)"

clean:
	rm -rf build thorax libthorax.a

-include $(wildcard $(B)/*/*.d)
