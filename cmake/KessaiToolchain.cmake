# Compiler, linker and warning settings that every target shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # base_dir and no hash_dir: two checkouts of the same sources share their cache entries. The
    # sloppiness is what ccache's manual asks for with precompiled headers. Depend: what a source
    # includes is learned from its compilation, so that what is not in the cache is not preprocessed
    # once more to look for it.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
        CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# GCC 12 has coroutines in C++20 mode, Boost.Asio 1.74 looks for the flag's macro.
add_compile_options(-fcoroutines)
add_compile_options(-fno-omit-frame-pointer)
# Said by the packages of some dependencies only, and without effect on 64-bit Linux: said for
# everybody, because a precompiled header is used only under the macros that it was compiled with.
add_compile_options(-pthread -D_FILE_OFFSET_BITS=64)

if(KESSAI_SANITIZE)
    add_compile_options(-fsanitize=${KESSAI_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${KESSAI_SANITIZE})
endif()
if(KESSAI_SANITIZE MATCHES "thread")
    # The thread sanitizer does not know free-standing fences, and GCC refuses to compile them with
    # it. Asio's order nothing that its scheduler's mutex does not order already.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

# Warnings for our own code only: generated code is compiled without them.
add_library(kessai_warnings INTERFACE)
target_compile_options(kessai_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(KESSAI_SANITIZE)
    # The sanitizers' instrumentation makes GCC's flow warnings report paths that cannot be taken.
    target_compile_options(kessai_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

# What is tested is optimized as the preset says; optimizing the tests themselves only costs a third
# more time to compile them.
if(NOT KESSAI_SANITIZE)
    set(kessai_test_options -O0)
endif()
