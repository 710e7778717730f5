f() { local a=(1 "two  three" '4 $x'); echo "${a[@]}" ${#a[@]} ${a[1]}; }
X=$((2 * (3 + 4) % 5 - -1)); Y=${X:+yes}; Z="${NOT_SET:=${Y:-"d"}}"; export W=`date`; V="$(ls | wc -l)"
[ -z "$Z" ] || [[ $X -ge 3 && ! $Y == no ]] && N=4
case $X in 1) N=2;; *) N=3;; esac
while true; do break; done
cat <<< "here" > /dev/null 2>&1 &
python -m torch.distributed.launch --num-layers $N --hidden-size $(( 64*X )) --num-attention-heads 4 --seq-length 8 --micro-batch-size 1
