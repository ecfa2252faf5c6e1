# A login shell keeps what the image has put on PATH, and trusts what the platform trusts.
PATH=/home/swath/.local/bin:/opt/swath/bin:/opt/code-server/bin:/usr/local/bin:/usr/bin:/bin
export PATH
. /usr/libexec/swath/trust
