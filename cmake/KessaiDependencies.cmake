# Debian 12's packages, found once.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
# By its own package file: pkg-config walks grpc++'s some hundred requirements for 20 s.
find_package(gRPC CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(expat REQUIRED IMPORTED_TARGET expat)
pkg_check_modules(freetype REQUIRED IMPORTED_TARGET freetype2)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
# Services allocate on many threads and free on others: jemalloc keeps that cheap and unfragmented. A
# sanitizer brings an allocator of its own.
if(NOT KESSAI_SANITIZE)
    set(kessai_allocator PkgConfig::jemalloc)
endif()
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

find_library(MYSQLCPPCONN_LIBRARY mysqlcppconn REQUIRED)
add_library(mysqlcppconn INTERFACE)
target_link_libraries(mysqlcppconn INTERFACE ${MYSQLCPPCONN_LIBRARY})

# The client library under it.
find_library(MARIADB_LIBRARY mariadb REQUIRED)
find_path(MARIADB_INCLUDE_DIR mysql.h PATH_SUFFIXES mariadb REQUIRED)
add_library(mariadb INTERFACE)
target_link_libraries(mariadb INTERFACE ${MARIADB_LIBRARY})
target_include_directories(mariadb SYSTEM INTERFACE ${MARIADB_INCLUDE_DIR})

if(KESSAI_TESTS)
    find_package(GTest REQUIRED)
endif()
