# kessai_precompiled(TARGET [SET standard|rpc|test])
#   Lets every source of TARGET begin with the precompiled headers of that set. A source says by
#   itself what it includes all the same: KESSAI_PCH=OFF compiles it without, and must succeed.
#
# The sets hold headers of the system only, by name: an absolute path, or a header of this tree,
# would keep two checkouts from sharing ccache's entries, and compile everything anew at each edit.

option(KESSAI_PCH "Compile common system headers once, instead of once a source" ON)

function(kessai_precompiled_set SET)
    cmake_parse_arguments(ARG "" "" "HEADERS;DEPS;OPTIONS" ${ARGN})
    set(target kessai_precompiled_${SET})
    set(source ${CMAKE_BINARY_DIR}/${target}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "// An object library needs a source.\n")
    add_library(${target} OBJECT ${source})
    target_link_libraries(${target} PRIVATE kessai_warnings ${ARG_DEPS})
    target_compile_options(${target} PRIVATE ${ARG_OPTIONS})
    target_precompile_headers(${target} PRIVATE ${ARG_HEADERS})
endfunction()

function(kessai_precompiled TARGET)
    cmake_parse_arguments(ARG "" "SET" "" ${ARGN})
    if(NOT ARG_SET)
        set(ARG_SET standard)
    endif()
    if(KESSAI_PCH)
        target_precompile_headers(${TARGET} REUSE_FROM kessai_precompiled_${ARG_SET})
        # libstdc++ turns these off for its <string> (char_traits.h), where they misjudge std::string's
        # own buffer; GCC forgets such pragmas in a precompiled header. KESSAI_PCH=OFF warns of them.
        target_compile_options(${TARGET}
            PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
endfunction()

if(NOT KESSAI_PCH)
    return()
endif()

set(standard_headers
    <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstddef> <cstdint>
    <cstring> <deque> <functional> <limits> <map> <memory> <mutex> <optional> <set> <span>
    <sstream> <stop_token> <string> <string_view> <thread> <unordered_map> <utility> <variant>
    <vector>)
kessai_precompiled_set(standard HEADERS ${standard_headers})

# What the generated messages and services include.
kessai_precompiled_set(rpc
    HEADERS ${standard_headers}
            <google/protobuf/arena.h> <google/protobuf/extension_set.h>
            <google/protobuf/generated_message_reflection.h>
            <google/protobuf/generated_message_util.h> <google/protobuf/io/coded_stream.h>
            <google/protobuf/map.h> <google/protobuf/message.h>
            <google/protobuf/repeated_field.h> <google/protobuf/unknown_field_set.h>
            <grpcpp/generic/generic_stub.h> <grpcpp/grpcpp.h>
    DEPS gRPC::grpc++ protobuf::libprotobuf)

if(KESSAI_TESTS)
    kessai_precompiled_set(test
        HEADERS ${standard_headers} <gmock/gmock.h> <gtest/gtest.h>
        DEPS GTest::gmock
        OPTIONS ${kessai_test_options})
endif()
