# kessai_library(NAME [SOURCES ...] [DEPS ...] [PRIVATE_DEPS ...] [PRECOMPILED set])
#   One static library `kessai_NAME` with its public headers in include/. Without sources it is
#   header only. PRECOMPILED: see KessaiPrecompiled.cmake.
function(kessai_library NAME)
    cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
    set(target kessai_${NAME})
    if(ARG_SOURCES)
        add_library(${target} STATIC ${ARG_SOURCES})
        target_include_directories(${target} PUBLIC include PRIVATE src)
        target_link_libraries(${target} PUBLIC ${ARG_DEPS} PRIVATE kessai_warnings ${ARG_PRIVATE_DEPS})
        kessai_precompiled(${target} SET ${ARG_PRECOMPILED})
    else()
        add_library(${target} INTERFACE)
        target_include_directories(${target} INTERFACE include)
        target_link_libraries(${target} INTERFACE ${ARG_DEPS})
    endif()
endfunction()

# kessai_layer(SERVICE LAYER [SOURCES ...] [DEPS ...] [PRECOMPILED set])
#   One layer of a service as target `SERVICE_LAYER`; its headers are included by the path from the
#   service's folder ("domain/capture.h").
function(kessai_layer SERVICE LAYER)
    cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;DEPS" ${ARGN})
    set(target ${SERVICE}_${LAYER})
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} PRIVATE kessai_warnings)
    kessai_precompiled(${target} SET ${ARG_PRECOMPILED})
endfunction()

# kessai_sanitizer_options(NAME)
#   What the sanitizers are told in test NAME, which runs a program of ours.
function(kessai_sanitizer_options NAME)
    if(KESSAI_SANITIZE MATCHES "undefined")
        set_property(TEST ${NAME} APPEND PROPERTY ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1")
    endif()
    if(KESSAI_SANITIZE MATCHES "thread")
        set_property(TEST ${NAME} APPEND PROPERTY ENVIRONMENT
            "TSAN_OPTIONS=ignore_noninstrumented_modules=1:history_size=7:suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")
    endif()
endfunction()

# kessai_test(NAME LABEL unit|integration SOURCES ... [DEPS ...] [TIMEOUT_S seconds])
#   A GoogleTest binary bin/NAME, known to CTest by its name and label. Its time-out is for a plain
#   build: the sanitizers get more.
function(kessai_test NAME)
    if(NOT KESSAI_TESTS)
        return()
    endif()
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT_S" "SOURCES;DEPS" ${ARGN})
    if(NOT ARG_LABEL MATCHES "^(unit|integration)$")
        message(FATAL_ERROR "kessai_test(${NAME}): LABEL must be unit or integration")
    endif()
    if(NOT ARG_TIMEOUT_S)
        set(ARG_TIMEOUT_S 120)
    endif()
    if(KESSAI_SANITIZE)
        math(EXPR ARG_TIMEOUT_S "5 * ${ARG_TIMEOUT_S}")
    endif()
    add_executable(${NAME} ${ARG_SOURCES})
    target_link_libraries(${NAME} PRIVATE ${ARG_DEPS} kessai_warnings GTest::gmock GTest::gtest_main)
    target_compile_options(${NAME} PRIVATE ${kessai_test_options})
    kessai_precompiled(${NAME} SET test)
    add_test(NAME ${NAME} COMMAND ${NAME})
    set_tests_properties(${NAME} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT_S})
    kessai_sanitizer_options(${NAME})
endfunction()

# kessai_migrations(TARGET <target> DIR <directory> [SET name] [NAMESPACE ns] [HEADER header])
#   Embeds DIR/V<number>__<name>.sql into TARGET as `mysql::MigrationSet NAMESPACE::Migrations()`.
#   For a service's storage layer (`payment_storage`) the rest follows: set "payment", namespace
#   kessai::payment::storage, declared in the generated header "storage/migrations.h". A library
#   gives SET, NAMESPACE and the HEADER of its own that declares the function.
function(kessai_migrations)
    cmake_parse_arguments(ARG "" "TARGET;DIR;SET;NAMESPACE;HEADER" "" ${ARGN})
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/${ARG_TARGET}_generated)
    if(NOT ARG_HEADER)
        if(NOT ARG_TARGET MATCHES "^([a-z]+)_storage$")
            message(FATAL_ERROR "kessai_migrations(${ARG_TARGET}): give SET, NAMESPACE and HEADER")
        endif()
        set(ARG_SET ${CMAKE_MATCH_1})
        set(ARG_NAMESPACE kessai::${CMAKE_MATCH_1}::storage)
        set(ARG_HEADER storage/migrations.h)
        file(CONFIGURE OUTPUT ${generated}/storage/migrations.h @ONLY CONTENT
"#pragma once

#include \"kessai/mysql/migration.h\"

namespace @ARG_NAMESPACE@ {

/// The steps of the service's own schema.
::kessai::mysql::MigrationSet Migrations();

}  // namespace @ARG_NAMESPACE@
")
        target_include_directories(${ARG_TARGET} PUBLIC ${generated})
    endif()
    get_filename_component(directory ${ARG_DIR} ABSOLUTE)
    file(GLOB files CONFIGURE_DEPENDS ${directory}/*.sql)
    list(SORT files COMPARE NATURAL)
    list(JOIN files "|" joined)
    add_custom_command(
        OUTPUT ${generated}/migrations.cc
        COMMAND ${CMAKE_COMMAND} "-DOUT=${generated}/migrations.cc" -DNAMESPACE=${ARG_NAMESPACE}
                -DSET=${ARG_SET} -DHEADER=${ARG_HEADER} "-DFILES=${joined}"
                -P ${CMAKE_SOURCE_DIR}/cmake/EmbedMigrations.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedMigrations.cmake
        COMMENT "Embedding the migrations of ${ARG_SET}"
        VERBATIM)
    target_sources(${ARG_TARGET} PRIVATE ${generated}/migrations.cc)
endfunction()
